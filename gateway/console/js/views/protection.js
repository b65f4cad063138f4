/** What protects: every camera, button and destination with its state. */

import { api, snapshotUrl } from "../api.js";
import { h, syncList } from "../dom.js";
import { moment, t, tOr } from "../i18n.js";
import { facts } from "./common.js";
import { Posts } from "./posts.js";

export class Protection {
  constructor(app) {
    this.app = app;
    this.cameras = h("ul", { class: "tiles" });
    this.devices = h("ul", { class: "tiles" });
    this.destinations = h("ul", { class: "tiles" });
    this.outputs = h("ul", { class: "tiles" });
    this.posts = new Posts(app);
    const part = (name, list) => h("section", {}, h("h2", {}, t(`strip.${name}`)), list);
    this.element = h("div", { class: "page" }, part("cameras", this.cameras), part("devices", this.devices),
      part("destinations", this.destinations), part("outputs", this.outputs), this.posts.element);
    app.refresh();
  }

  update(state) {
    this.show(this.cameras, state.cameras, (tile, each) => this.camera(tile, each));
    this.show(this.devices, state.devices, (tile, each) => this.device(tile, each));
    this.show(this.destinations, state.destinations, (tile, each) => this.destination(tile, each));
    this.show(this.outputs, state.outputs, (tile, each) => this.output(tile, each));
    this.posts.update(state);
  }

  show(list, items, fill) {
    if (!items.length && !list.childElementCount) list.replaceChildren(h("li", { class: "muted", data: { key: "" } }, t("protection.none")));
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
    const picture = tile.querySelector("img") ?? h("img", { alt: t("evidence.camera", { camera: camera.name || camera.id }), src: snapshotUrl(camera.id, Date.now()) });
    tile.replaceChildren(
      this.head(tile, camera, state === "live", tOr(`camera.${state}`, state)),
      picture,
      facts([
        [t("device.place"), camera.place],
        [t("camera.reason"), status.reason && tOr(`reason.${status.reason}`, status.reason)],
        [t("camera.size"), status.width ? `${status.width}×${status.height}` : ""],
        [t("camera.looks"), status.resting ? t("camera.resting") : status.looks_per_second?.toFixed?.(1)],
        [t("camera.age"), status.decision_age_p95_ms >= 0 ? `${Math.round(status.decision_age_p95_ms)} ms` : ""],
        [t("camera.frames"), status.frames_seen ? `${status.frames_seen} / ${status.frames_looked} / ${status.frames_skipped} / ${status.frames_rested}` : ""],
        [t("camera.worker"), status.worker],
        [t("camera.gate"), status.gate && tOr(`gate.${status.gate}`, status.gate)],
        [t("camera.cost"), status.detect_ms ? `${status.decode_ms.toFixed(1)} + ${status.detect_ms.toFixed(1)} + ${status.embed_ms.toFixed(1)} ms` : ""],
      ]),
    );
  }

  device(tile, device) {
    const status = device.status ?? {};
    const good = status.lost === false;
    tile.replaceChildren(
      this.head(tile, device, good, good ? t("device.ok") : t("device.lost")),
      facts([
        [t("device.place"), device.place],
        [t("device.seen"), status.last_seen && moment(status.last_seen)],
        [t("device.battery"), status.battery !== undefined && status.battery !== null ? `${status.battery} %` : ""],
        [t("device.firmware"), status.firmware],
      ]),
    );
  }

  destination(tile, destination) {
    const status = destination.status ?? {};
    const good = status.state !== "failing";
    tile.replaceChildren(
      this.head(tile, destination, good, good ? t("destination.ok") : t("destination.failing")),
      facts([
        [t("destination.backlog"), status.backlog],
        [t("destination.success"), status.last_success && moment(status.last_success)],
        [t("destination.error"), status.last_error],
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
