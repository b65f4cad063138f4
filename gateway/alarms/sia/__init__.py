"""Alarm panels in: a receiver of SIA DC-09 over TCP and UDP whose ACK means "on disk"."""

from gateway.alarms.sia.receiver import SiaReceiver, SiaStatistics, account_key

__all__ = ["SiaReceiver", "SiaStatistics", "account_key"]
