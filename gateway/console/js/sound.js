/** The two sounds of the console, that of a drill, the tick of a walk test, and the chirp; synthesised, so that no file can be missing. */

const PATTERNS = {
  emergency: { notes: [880, 660, 880, 660], type: "square", length: 0.28, every: 3 },
  warning: { notes: [520, 520], type: "sine", length: 0.35, every: 6 },
  drill: { notes: [1400, 1400, 880, 660], type: "sine", length: 0.28, every: 5 },
  tick: { notes: [1500, 1900], type: "sine", length: 0.12 },
  chirp: { notes: [1200, 900], type: "sine", length: 0.08, every: 30 },
};
const RAMP_SECONDS = 10;

export class Sound {
  constructor() {
    this.context = null;
    this.kind = null;
    this.timer = null;
    this.silencedUntil = 0;
    this.onChange = () => {};
  }

  /** Whether the browser lets this page sound; after a reload it does not until somebody clicks. */
  get armed() {
    return this.context?.state === "running";
  }

  /** Ask for sound; must be called from a click or key. */
  async arm() {
    this.context ??= new AudioContext();
    this.context.onstatechange = () => this.onChange();
    await this.context.resume();
    return this.armed;
  }

  /** Sound `kind` over and over until told otherwise; null is silence. */
  play(kind) {
    if (kind === this.kind) return;
    clearInterval(this.timer);
    this.kind = kind;
    this.began = Date.now();
    if (!kind) return;
    this.once(kind);
    this.timer = setInterval(() => this.once(kind), PATTERNS[kind].every * 1000);
  }

  /** Be quiet on this post for some seconds; nothing is acknowledged by it. */
  silence(seconds) {
    this.silencedUntil = Date.now() + seconds * 1000;
  }

  /** Seconds of silence that are left. */
  get silenced() {
    return Math.max(0, Math.ceil((this.silencedUntil - Date.now()) / 1000));
  }

  /** Tell one time that a button was ticked off; never beside an alarm. */
  tick() {
    if (!this.kind || this.kind === "chirp") this.sound("tick", 1);
  }

  /** Sound a pattern one time, the louder the longer it goes on. */
  once(kind) {
    const ramp = Math.min(1, 0.3 + (0.7 * (Date.now() - this.began)) / (RAMP_SECONDS * 1000));
    this.sound(kind, ramp);
  }

  sound(kind, volume) {
    if (!this.armed || this.silenced) return;
    const pattern = PATTERNS[kind];
    pattern.notes.forEach((frequency, index) => this.tone(frequency, pattern, index, volume));
  }

  tone(frequency, pattern, index, volume) {
    const start = this.context.currentTime + index * pattern.length;
    const oscillator = new OscillatorNode(this.context, { frequency, type: pattern.type });
    const gain = new GainNode(this.context, { gain: 0 });
    gain.gain.setTargetAtTime(0.25 * volume, start, 0.01);
    gain.gain.setTargetAtTime(0, start + pattern.length * 0.8, 0.02);
    oscillator.connect(gain).connect(this.context.destination);
    oscillator.start(start);
    oscillator.stop(start + pattern.length + 0.1);
  }
}
