/** The pictures of an incident: the two faces to compare side by side, scenes and live pictures, and clips. */

import { evidenceUrl, photoUrl, snapshotUrl } from "../api.js";
import { h, syncList } from "../dom.js";
import { moment, t } from "../i18n.js";
import { calledIn } from "../where.js";
import { categoryText, picture } from "./common.js";

const FACE = "campus.face.matched";
const CAMERA_CLIP = "camera_clip";
const MANY_CLIPS = 2;

export class Pictures {
  constructor() {
    this.faces = h("div", { class: "faces" });
    this.scenes = h("div", { class: "pictures" });
    this.clips = h("div", { class: "clips" });
  }

  /**
   * @param {Object} incident
   * @param {Object|undefined} detail answer of GET /incidents/{id}, once it is there
   * @param {Array} cameras those known, for their names
   */
  update(incident, detail, cameras = []) {
    const named = (id) => calledIn(cameras, id);
    const evidence = (detail?.evidence ?? []).filter((each) => !each.purged);
    const pictures = evidence.filter((each) => !each.clip);
    const crop = pictures.find((each) => each.kind === "crop");
    const match = detail?.match;
    const signature = JSON.stringify([incident.id, pictures.map((each) => [each.id, each.last_seen]), detail?.cameras?.map(named), match?.photos?.[0], match?.name, match?.category]);
    if (signature !== this.signature) {
      this.signature = signature;
      this.faces.replaceChildren(...[
        crop && figure(evidenceUrl(crop.id), cropCaption(crop)),
        match?.photos?.length && figure(photoUrl(match.person, match.photos[0]), enrolledCaption(match)),
      ].filter(Boolean));
      const live = incident.kind === FACE ? [] : detail?.cameras ?? [];
      this.scenes.replaceChildren(
        ...pictures.filter((each) => each !== crop).map((each) => figure(evidenceUrl(each.id), t(`evidence.${each.kind}`))),
        ...live.map((camera) => figure(snapshotUrl(camera, Date.now()), t("evidence.camera", { camera: named(camera) }))),
      );
    }
    const clips = evidence.filter((each) => each.clip).map((each) => ({ ...each, camera: named(each.camera) }));
    this.showClips(clips, crop && evidenceUrl(crop.id));
  }

  /** The newest first; when there are many, only the newest stands open. */
  showClips(clips, face) {
    const newest = [...clips].sort((a, b) => b.created.localeCompare(a.created));
    const open = newest.length > MANY_CLIPS ? newest.slice(0, 1) : newest;
    syncList(this.clips, newest, (each) => `${each.id} ${each.clip.state} ${each.camera}`, (each) => clip(each, open.includes(each), face));
  }
}

/**
 * A clip plays in place once it is whole; while it is recorded, it is said so, and what there is can be played. Not every
 * browser plays H.265: where it does not, that is said, and the clip is given as a file for a player that does.
 */
function clip(each, open, face) {
  const about = { camera: each.camera, seconds: Math.round(each.clip.seconds) };
  const caption = `${moment(each.created)} · ${t(`evidence.${each.kind}.${each.clip.state}`, about)}`;
  if (each.clip.state === "missing") return h("p", { class: "clip unfetched" }, `${caption}: ${t(`evidence.reason.${each.clip.reason}`)}`);
  // A browser keeps what it has of an address: the whole clip is another one than that which still grows.
  const video = h("video", { src: `${evidenceUrl(each.id)}?as=${each.clip.state}`, controls: true, playsinline: true, preload: open ? "metadata" : "none", "aria-label": caption });
  // A clip begins before the face came: somebody else may be the first to be seen in it.
  if (face) video.poster = face;
  video.muted = true;
  const shown = h("details", { class: "clip", open },
    h("summary", {}, caption, ...missing(each.clip), byCamera(each), each.clip.others && h("small", {}, t("evidence.others"))), video);
  const given = () => video.replaceWith(asFile(each));
  if (each.clip.codec && !video.canPlayType(`video/mp4; codecs="${each.clip.codec}"`)) given();
  // Some browsers say that they may play H.265 and then cannot; what else fails is a clip whose time has come.
  video.addEventListener("error", () => (named(each.clip.codec) === "H.265" ? given() : shown.classList.add("missing")));
  return shown;
}

/** How people call a codec that RFC 6381 names. */
function named(codec = "") {
  return { hvc1: "H.265", avc1: "H.264" }[codec.split(".")[0]] ?? codec;
}

function asFile(each) {
  const name = `${moment(each.created)} ${each.camera}`.replace(/[^\p{L}\p{N}]+/gu, "-");
  return h("p", { class: "asfile" }, t("evidence.clip.unplayable", { codec: named(each.clip.codec) }), " ",
    h("a", { href: evidenceUrl(each.id), download: `${name}.mp4` }, t("evidence.clip.download")));
}

/** What is missing of a clip, so that nobody takes it for all that happened. */
function missing(clip) {
  const late = clip.late_seconds > 0 && t("evidence.late", { seconds: Math.round(clip.late_seconds) });
  const lost = clip.lost_seconds > 0 && t("evidence.lost", { seconds: Math.round(clip.lost_seconds) });
  const end = clip.state === "cut_short" && !late && !lost && t("evidence.broken_off");
  return [late, lost, end].filter(Boolean).map((each) => h("small", {}, each));
}

/** Of a camera's own recording: by whose clock it is. */
function byCamera({ kind, clip: { clock_offset_seconds: offset } }) {
  if (kind !== CAMERA_CLIP) return null;
  const seconds = Math.round(Math.abs(offset));
  const clock = !seconds ? "evidence.clock.right" : offset > 0 ? "evidence.clock.ahead" : "evidence.clock.behind";
  return h("small", {}, t(clock, { seconds }));
}

/** Where the face was seen, and from when to when, once that is known. */
function cropCaption(crop) {
  if (!crop.last_seen) return t("evidence.crop");
  return t("evidence.crop.seen", { first: moment(crop.first_seen), last: moment(crop.last_seen) });
}

/** Whose enrolled photo it is, so far as this viewer may know, and why he is on the list. */
function enrolledCaption({ name, category }) {
  return [t("evidence.enrolled"), name, category && categoryText(category)].filter(Boolean).join(" · ");
}

function figure(url, caption) {
  return h("figure", {}, picture(url, caption), h("figcaption", {}, caption));
}
