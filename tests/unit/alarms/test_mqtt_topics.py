"""The tree of filters finds what matching each filter by itself would find, and access covers what it says."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.alarms.access import covers
from gateway.alarms.levels import LevelTree
from gateway.alarms.topics import FilterTree, Subscription
from gateway.alarms.wireformat import topic_matches

LEVEL = st.sampled_from(["a", "b", "", "$s"])
TOPIC = st.lists(LEVEL, min_size=1, max_size=4).map("/".join).filter(bool)
FILTER = (
    st.tuples(st.lists(st.sampled_from(["a", "b", "", "$s", "+"]), max_size=4), st.sampled_from([[], ["#"]]))
    .map(lambda parts: "/".join([*parts[0], *parts[1]]))
    .filter(bool)
)


@given(st.lists(FILTER, max_size=8), st.lists(FILTER, max_size=4), TOPIC)
def test_the_tree_finds_what_each_filter_takes(added: list[str], removed: list[str], topic: str) -> None:
    tree = FilterTree()
    for pattern in added:
        tree.add(pattern, Subscription(pattern, 1))
    for pattern in removed:
        tree.remove(pattern, pattern)
    wanted = {pattern for pattern in added if pattern not in removed and topic_matches(pattern, topic)}
    found = [subscription.pattern for _group, _client, subscription in tree.takers(topic)]
    assert sorted(found) == sorted(wanted)


@given(st.lists(FILTER, max_size=8))
def test_a_tree_that_is_emptied_holds_nothing(added: list[str]) -> None:
    tree = LevelTree[str, int]()
    for pattern in added:
        tree.put(pattern, "c", 1)
    for pattern in added:
        tree.drop(pattern, "c")
    assert tree._root.below == {}


@given(FILTER, FILTER, TOPIC)
def test_a_filter_that_is_covered_takes_nothing_more(allowed: str, wanted: str, topic: str) -> None:
    if covers(allowed, wanted) and topic_matches(wanted, topic):
        assert topic_matches(allowed, topic)


def test_a_topic_that_was_asked_for_sees_what_changed_since() -> None:
    tree = FilterTree()
    assert not tree.takers("a/b")
    tree.add("one", Subscription("a/+", 1))
    assert [client for _group, client, _filter in tree.takers("a/b")] == ["one"]
    tree.add("one", Subscription("a/+", 0))
    assert [each.options for _group, _client, each in tree.takers("a/b")] == [0]
    tree.remove("one", "a/+")
    assert not tree.takers("a/b")


def test_topics_that_a_client_makes_up_are_not_kept_for_ever() -> None:
    tree = FilterTree()
    tree.add("all", Subscription("#", 1))
    for number in range(10_000):
        assert len(tree.takers(f"made/up/{number}")) == 1
    assert len(tree._found) <= 4096
