/** What protects: every camera, button and destination with its state. */

import { api, snapshotUrl } from "../api.js";
import { h, syncList } from "../dom.js";
import { faultName } from "../faults.js";
import { moment, t, tOr } from "../i18n.js";
import { deliveryText, problemText } from "../problems.js";
import { calledIn, nameOf } from "../where.js";
import { facts, picture } from "./common.js";
import { ThresholdLine, cameraThreshold } from "./threshold.js";
import { NewDevice } from "./newdevice.js";
import { Reach } from "./reach.js";
import { WalkTest } from "./walktest.js";
import { Posts } from "./posts.js";
import { serviceButtons, serviceLine } from "./service.js";

const TEST_SECONDS = 60;
const PEOPLE = ["guard", "admin"];

export class Protection {
  constructor(app) {
    this.app = app;
    this.testing = new Set();
    this.said = new Map();
    this.testers = new Map();
    this.cameras = h("ul", { class: "tiles" });
    this.devices = h("ul", { class: "tiles" });
    this.destinations = h("ul", { class: "tiles" });
    this.outputs = h("ul", { class: "tiles" });
    this.posts = new Posts(app);
    this.threshold = new ThresholdLine();
    this.reach = new Reach();
    this.walk = new WalkTest(app);
    const part = (name, ...content) => h("section", {}, h("h2", {}, t(`strip.${name}`)), ...content);
    const newcomer = app.state.me?.role === "admin" && new NewDevice(app).element;
    this.element = h("div", { class: "page" }, this.reach.element, this.walk.element,
      part("cameras", this.threshold.element, this.cameras), part("devices", this.devices, newcomer),
      part("destinations", this.destinations), part("outputs", this.outputs), this.posts.element);
    app.refresh();
  }

  tick(now) {
    this.walk.clock(now);
  }

  update(state) {
    this.threshold.update(state.threshold);
    const watching = state.cameras.map((each) => (each.watch_faces ? { ...each, compares: cameraThreshold(state.threshold, each.id) } : each));
    this.reach.update(state.protection);
    this.walk.update(state.walks, state.protection);
    this.show(this.cameras, watching, (tile, each) => this.camera(tile, each));
    const service = Object.fromEntries((state.protection?.out_of_service ?? []).map((each) => [each.device, each]));
    const devices = state.devices.map((each) => ({ ...each, service: service[each.id] ?? null }));
    this.show(this.devices, devices, (tile, each) => this.device(tile, each));
    this.show(this.destinations, state.destinations, (tile, each) => this.destination(tile, each));
    this.show(this.outputs, state.outputs, (tile, each) => this.output(tile, each));
    this.posts.update(state);
  }

  show(list, items, fill) {
    if (!items.length && list.firstElementChild?.dataset.key !== "") list.replaceChildren(h("li", { class: "muted", data: { key: "" } }, t("protection.none")));
    if (items.length) {
      syncList(list, items, (each) => each.id, () => h("li", { class: "tile" }), (tile, each) => {
        const signature = JSON.stringify(each);
        if (tile.dataset.signature === signature) return;
        tile.dataset.signature = signature;
        fill(tile, each);
      });
    }
  }

  head(tile, each, good, word) {
    tile.classList.toggle("bad", !good);
    return h("div", { class: "row" }, h("strong", {}, each.name || each.id), h("span", { class: `pill ${good ? "good" : "bad"}` }, word));
  }

  camera(tile, camera) {
    const status = camera.status ?? {};
    const state = status.state ?? "unknown";
    const shown = tile.dataset.state === state && tile.querySelector(state === "live" ? "img" : "img, .nopicture");
    tile.dataset.state = state; // a picture of before a loss, or none, is not what it shows now
    tile.replaceChildren(
      this.head(tile, camera, state === "live", tOr(`camera.${state}`, state)),
      shown || picture(snapshotUrl(camera.id, Date.now()), t("evidence.camera", { camera: camera.name || camera.id })),
      facts([
        [t("device.place"), camera.place],
        [t("camera.reason"), whyNot(status)],
        [t("camera.size"), status.width ? `${status.width}×${status.height}` : ""],
        [t("camera.looks"), status.resting ? t("camera.resting") : status.looks_per_second?.toFixed?.(1)],
        [t("camera.age"), status.decision_age_p95_ms >= 0 ? `${Math.round(status.decision_age_p95_ms)} ms` : ""],
        [t("camera.frames"), status.frames_seen ? `${status.frames_seen} / ${status.frames_looked} / ${status.frames_skipped} / ${status.frames_rested}` : ""],
        [t("camera.worker"), status.worker],
        [t("camera.model"), modelOf(status.description)],
        [t("camera.streams"), streamsOf(status.description)],
        [t("camera.choice"), status.description?.choice],
        [t("camera.threshold"), camera.compares],
        [t("camera.gate"), status.gate && tOr(`gate.${status.gate}`, status.gate)],
        [t("camera.cost"), status.detect_ms ? `${status.decode_ms.toFixed(1)} + ${status.detect_ms.toFixed(1)} + ${status.embed_ms.toFixed(1)} ms` : ""],
      ]),
    );
  }

  device(tile, device) {
    const status = device.status ?? {};
    const word = deviceWord(status);
    const good = word === "device.ok";
    tile.replaceChildren(
      this.head(tile, device, good, t(word)),
      facts([
        [t("device.place"), device.place],
        [t("device.dialect"), device.dialect],
        [t("device.seen"), status.last_seen && moment(status.last_seen)],
        [t("device.battery"), batteryText(status)],
        [t("device.signal"), signalText(status)],
        [t("device.firmware"), status.firmware],
        [t("device.troubles"), troublesText(status)],
        [t("device.last_test"), testText(status)],
      ]),
      PEOPLE.includes(this.app.state.me?.role) ? this.testButton(device) : "",
      serviceLine(device.service),
      this.app.state.me?.role === "admin" ? serviceButtons(this.app, device) : "",
    );
  }

  /** Wait for somebody to press the button, and say in its tile how far that came. */
  testButton(device) {
    const said = h("p", { class: "muted", role: "status" }, this.said.get(device.id) ?? "");
    const button = h("button", { on: { click: () => this.test(device) } }, t("test.start"));
    button.disabled = this.testing.has(device.id);
    this.testers.set(device.id, { said, button });
    const removable = !device.from_file && this.app.state.me?.role === "admin";
    return h("div", { class: "tester" }, button, said, removable && this.removeButton(device));
  }

  removeButton(device) {
    const name = nameOf(device);
    const remove = async () => {
      if (!window.confirm(t("device.confirm_remove", { name }))) return;
      await api.removeDevice(device.id).catch((problem) => this.app.notice(problem));
      await this.app.refresh();
    };
    return h("button", { class: "plain danger", on: { click: remove } }, t("device.remove"));
  }

  async test(device) {
    this.testing.add(device.id);
    this.tell(device, t("test.press_now", { seconds: TEST_SECONDS }));
    const text = await api.testDevice(device.id, TEST_SECONDS).then((result) => resultText(device, result, this.app.state.destinations), problemText);
    this.testing.delete(device.id);
    this.tell(device, text);
    this.app.refresh();
  }

  tell(device, text) {
    this.said.set(device.id, text);
    const { said, button } = this.testers.get(device.id);
    said.textContent = text;
    button.disabled = this.testing.has(device.id);
  }

  destination(tile, destination) {
    const status = destination.status ?? {};
    const good = status.state !== "failing";
    tile.replaceChildren(
      this.head(tile, destination, good, good ? t("destination.ok") : t("destination.failing")),
      facts([
        [t("destination.backlog"), status.backlog],
        [t("destination.tries"), status.tries || ""],
        [t("destination.dead"), status.dead || ""],
        [t("destination.success"), status.last_success && moment(status.last_success)],
        [t("destination.error"), errorText(status)],
      ]),
    );
  }

  output(tile, output) {
    const { on, testing } = output.status;
    const test = () => api.testOutput(output.id).catch((problem) => this.app.notice(problem));
    tile.replaceChildren(
      this.head(tile, output, !on, on ? t("output.on") : t("output.off")),
      facts([[t("output.kind"), output.kind], [t("output.places"), [...output.places, ...output.devices].join(" · ")]]),
      this.app.state.me.role === "admin" ? h("button", { disabled: testing, on: { click: test } }, t("output.test")) : "",
    );
  }
}

/** The last error; one that a delivery followed, as what it is: past. */
export function errorText({ state, last_error: error, last_error_at: at, last_success: success }) {
  const words = deliveryText(error);
  if (!words || state === "failing" || !success || new Date(success) <= new Date(at)) return words;
  return t("destination.error_past", { error: words, time: moment(at) });
}

function deviceWord(status) {
  if (status.lost !== false) return "device.lost";
  if (status.flapping) return "device.flapping";
  return status.last_seen ? "device.ok" : "device.unheard";
}

function batteryText({ battery, battery_low: low, battery_trend: trend, battery_days_left: days }) {
  const parts = [battery !== null && battery !== undefined && `${battery} %`, low && t("reach.battery_low"),
    trend && t("device.trend", { trend }), days !== null && days !== undefined && t("device.days_left", { days })];
  return parts.filter(Boolean).join(" · ");
}

function signalText({ rssi, link_quality: quality }) {
  if (rssi !== null && rssi !== undefined) return `${rssi} dBm`;
  return quality !== null && quality !== undefined ? `${quality} / 255` : "";
}

function troublesText({ tampered, troubles = [] }) {
  return [...(tampered ? ["tampered"] : []), ...troubles].map((each) => tOr(`reach.${each}`, "") || faultName(each)).join(" · ");
}

function testText({ last_test: tested, test_due: due }) {
  return [tested && moment(tested), due && t("reach.test_due")].filter(Boolean).join(" · ");
}

/** How far a round-trip test came; destinations by their names. */
export function resultText(device, result, destinations) {
  const name = nameOf(device);
  const named = (each) => calledIn(destinations, each.destination);
  if (!result.pressed) return t("test.nobody", { name });
  if (result.reason === "no_destination") return t("test.no_destination", { name });
  const failed = result.destinations.filter((each) => !["accepted", "not_wanted"].includes(each.state));
  if (failed.length) return t("test.stopped", { name, where: failed.map(named).join(", ") });
  const taken = result.destinations.filter((each) => each.state === "accepted").map(named);
  return taken.length ? t("test.passed", { name, where: taken.join(", ") }) : t("test.stored", { name });
}

/** Why a camera is not well: what it answered when it was asked says more than that its stream is away. */
function whyNot(status) {
  if (status.asked && status.asked !== "ok") return tOr(`camerafault.${status.asked}`, status.asked);
  return status.reason && tOr(`reason.${status.reason}`, status.reason);
}

/** What the camera says that it is. */
function modelOf({ manufacturer, model, firmware } = {}) {
  return [manufacturer, model, firmware].filter(Boolean).join(" ");
}

/** The streams that it offers, with size and codec as it tells them. */
function streamsOf({ profiles = [] } = {}) {
  return profiles.map((each) => [each.width ? `${each.width}×${each.height}` : each.name, each.codec].filter(Boolean).join(" ")).join(" · ");
}
