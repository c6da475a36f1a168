'use strict';

// Draws a sticker as section 2 of the protocol's README says: for each loop an empty canvas; before each frame the rectangle of the
// one before is cleared where it says so; then the frame's image goes over what is there, or takes its place.

const moving = new Set();
let isStepping = false;

function step(now) {
  for (const player of moving) player.draw(now);
  isStepping = moving.size > 0;
  if (isStepping) requestAnimationFrame(step);
}

class Player {
  // `read` gives the bytes of all the images back to back; `shown` is called with the canvas after each change.
  constructor(variant, read, shown, ended = () => {}) {
    Object.assign(this, { variant, read, shown, ended });
    this.images = null;
    this.duration = variant.frames.reduce((sum, frame) => sum + frame.ms, 0);
    this.canvas = document.createElement('canvas');
    this.canvas.width = variant.width;
    this.canvas.height = variant.height;
    this.context = this.canvas.getContext('2d');
    this.at = -1;
    this.loop = 0;
    this.began = null;
    this.wanted = null;
  }

  get isStill() { return this.variant.frames.length === 1; }

  // The images are decoded when they are first needed, and let go by `rest`.
  async load() {
    if (this.images) return true;
    const ticket = this.wanted = {};
    const bytes = this.read();
    let start = 0;
    const decoding = this.variant.lengths.map((length) => {
      const image = new Blob([bytes.subarray(start, start += length)], { type: this.variant.media_type });
      return createImageBitmap(image);
    });
    const images = await Promise.all(decoding);
    if (this.wanted !== ticket) {
      for (const image of images) image.close();
      return false;
    }
    this.images = images;
    return true;
  }

  rest() {
    this.pause();
    this.wanted = null;
    for (const image of this.images ?? []) image.close();
    this.images = null;
  }

  async poster() {
    this.pause();
    if (await this.load()) {
      this.showFrame(this.variant.poster);
      this.shown(this.canvas);
    }
  }

  async play() {
    if (this.isStill) return this.poster();
    if (!await this.load()) return;
    this.began = null;
    moving.add(this);
    if (!isStepping) requestAnimationFrame(step);
    isStepping = true;
  }

  pause() { moving.delete(this); }

  draw(now) {
    this.began ??= now;
    const elapsed = now - this.began;
    const loop = Math.floor(elapsed / this.duration);
    const { loop_count: loops, frames } = this.variant;
    const isOver = loops > 0 && loop >= loops;
    let index = frames.length - 1;
    if (!isOver) {
      let left = elapsed - loop * this.duration;
      index = frames.findIndex((frame) => (left -= frame.ms) < 0);
      if (index < 0) index = frames.length - 1;
    }
    if (loop !== this.loop && !isOver) this.at = -1;
    this.loop = loop;
    if (index !== this.at) {
      this.showFrame(index);
      this.shown(this.canvas);
    }
    if (isOver) {
      this.pause();
      this.ended();
    }
  }

  showFrame(index) {
    if (this.at < 0 || index < this.at) {
      this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
      this.at = -1;
    }
    while (this.at < index) this.next();
  }

  next() {
    const { frames } = this.variant;
    const before = frames[this.at];
    if (before?.clear) this.clear(before);
    const frame = frames[this.at += 1];
    if (!frame.over) this.clear(frame);
    this.context.drawImage(this.images[frame.image], frame.x, frame.y);
  }

  clear({ image, x, y }) {
    const { width, height } = this.images[image];
    this.context.clearRect(x, y, width, height);
  }
}
