
// The page around the player. What designers wrote is shown as text, never as HTML.

const data = JSON.parse(document.getElementById('data').textContent);
const quiet = matchMedia('(prefers-reduced-motion: reduce)');
const view = { playing: !quiet.matches, density: null, locale: null };
const byId = (id) => document.getElementById(id);
const number = (value, digits) => value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });

function bytesOf(id) {
  const text = atob(byId(id).textContent);
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

const kib = (bytes) => (bytes < 1 << 20 ? `${number(bytes / 1024, bytes < 10240 ? 1 : 0)} KiB` : `${number(bytes / (1 << 20), 2)} MiB`);
const seconds = (bytes, network) => {
  const took = network.round_trip_ms / 1000 + bytes * 8 / (network.kilobits * 1000);
  return `${number(took, took < 9.95 ? 2 : 1)} s`;
};

// The words are those of the packer's qualities.
function chip(score, className = 'chip') {
  if (score === null) return element('span', '–');
  const [kind, says] = score >= 90 ? ['best', 'hardly to be told from the artwork']
    : score >= 75 ? ['good', 'nothing is missed in a chat']
      : score >= 60 ? ['fair', 'losses show'] : ['poor', 'losses are plain'];
  const made = element('span', number(score, score >= 99.95 ? 0 : 1), `${className} ${kind}`);
  made.title = says;
  made.append(element('span', `, ${says}`, 'unseen'));
  return made;
}

function headings(into, names) {
  const row = element('tr');
  for (const name of names) {
    const cell = element('th', name);
    cell.scope = 'col';
    row.append(cell);
  }
  into.append(row);
}

const inLocale = (texts) => texts[view.locale] ?? texts.en ?? Object.values(texts)[0];
const langOf = (texts) => view.locale in texts ? view.locale : 'en' in texts ? 'en' : Object.keys(texts)[0] ?? '';

function say(target, texts, otherwise = '') {
  target.textContent = inLocale(texts) ?? otherwise;
  target.lang = inLocale(texts) ? langOf(texts) : 'en';
}

// One sticker ------------------------------------------------------------------------------------------------------

class Card {
  constructor(sticker) {
    this.sticker = sticker;
    this.root = byId('card').content.cloneNode(true).firstElementChild;
    const find = (selector) => this.root.querySelector(selector);
    [this.canvas, this.button, this.alt] = ['.picture', '.play', '.alt'].map(find);
    this.strip = [...this.root.querySelectorAll('.strip canvas')];
    find('h3').textContent = sticker.name;
    find('.emoji').textContent = sticker.emoji.join(' ');
    find('.stage').style.setProperty('--placeholder', sticker.colour);
    headings(find('thead'), ['Density', 'Size', ...data.networks.map((network) => network.name), 'Score']);
    this.rows = sticker.variants.map((variant) => this.row(variant));
    find('tbody').append(...this.rows);
    find('.closer').addEventListener('click', () => closer.open(this));
    find('.closer').setAttribute('aria-label', `Compare with the artwork: ${sticker.name}`);
    this.button.addEventListener('click', () => this.toggle());
    this.isSeen = false;
    this.isPlaying = view.playing;
  }

  row(variant) {
    const row = byId('variant').content.cloneNode(true).firstElementChild;
    const pick = row.querySelector('.density');
    pick.textContent = variant.density;
    pick.setAttribute('aria-label', `Show ${this.sticker.name} at density ${variant.density}`);
    pick.addEventListener('click', () => this.show(variant.density));
    row.querySelector('small').textContent = `${variant.width} × ${variant.height} ${variant.format === 'png' ? 'PNG' : 'WebP'}`;
    row.querySelector('.bytes').textContent = kib(variant.bytes);
    row.querySelectorAll('.time').forEach((cell, at) => { cell.textContent = seconds(variant.bytes, data.networks[at]); });
    row.querySelector('.score').append(chip(variant.score));
    return row;
  }

  variantAt(density) { return this.sticker.variants.find((variant) => variant.density === density); }

  player(variant, shown, ended) {
    return new Player(variant, () => bytesOf(`images-${this.sticker.id}-${variant.density}`), shown, ended);
  }

  show(density) {
    const variant = this.variantAt(density);
    this.current?.rest();
    this.canvas.width = variant.width;
    this.canvas.height = variant.height;
    const small = Math.min(1, 160 / Math.max(variant.width, variant.height));
    for (const canvas of this.strip) {
      canvas.width = Math.max(1, Math.round(variant.width * small));
      canvas.height = Math.max(1, Math.round(variant.height * small));
    }
    this.current = this.player(variant, (picture) => this.paint(picture), () => { this.isPlaying = false; this.tellPlaying(); });
    this.rows.forEach((row, at) => {
      const isIt = this.sticker.variants[at] === variant;
      row.classList.toggle('chosen', isIt);
      row.querySelector('.density').setAttribute('aria-pressed', isIt);
    });
    this.update();
  }

  paint(picture) {
    this.root.querySelector('.stage').classList.add('drawn');
    for (const canvas of [this.canvas, ...this.strip]) {
      const context = canvas.getContext('2d');
      context.imageSmoothingQuality = 'high';
      context.clearRect(0, 0, canvas.width, canvas.height);
      context.drawImage(picture, 0, 0, canvas.width, canvas.height);
    }
  }

  update() {
    this.tellPlaying();
    if (!this.isSeen) return this.current.rest();
    const showing = this.isPlaying ? this.current.play() : this.current.poster();
    showing.catch(() => { this.alt.textContent = 'This browser cannot decode the sticker.'; });
  }

  tellPlaying() {
    this.button.hidden = this.current.isStill;
    this.button.classList.toggle('paused', !this.isPlaying);
    this.button.setAttribute('aria-label', `${this.isPlaying ? 'Pause' : 'Play'} ${this.sticker.name}`);
  }

  toggle(isPlaying = !this.isPlaying) {
    this.isPlaying = isPlaying;
    this.update();
  }

  seen(isSeen) {
    if (this.isSeen === isSeen) return;
    this.isSeen = isSeen;
    this.update();
  }

  translate() {
    say(this.alt, this.sticker.alt_texts, 'No alternative text');
    this.alt.classList.toggle('missing', !inLocale(this.sticker.alt_texts));
    this.canvas.setAttribute('aria-label', inLocale(this.sticker.alt_texts) ?? this.sticker.name);
  }
}

// Artwork and result side by side ------------------------------------------------------------------------------------

const closer = {
  dialog: byId('closer'),
  players: [],
  isDifference: false,

  async open(card) {
    const variant = card.variantAt(data.compared_at);
    byId('closer-title').textContent = card.sticker.name;
    byId('result').setAttribute('aria-label', inLocale(card.sticker.alt_texts) ?? card.sticker.name);
    for (const id of ['artwork', 'result']) Object.assign(byId(id), { width: variant.width, height: variant.height });
    this.dialog.showModal();
    this.showLadder(card);
    const artwork = await createImageBitmap(new Blob([bytesOf(`artwork-${card.sticker.id}`)], { type: 'image/webp' }));
    byId('artwork').getContext('2d').drawImage(artwork, 0, 0);
    this.result = null;
    const poster = card.player(variant, (picture) => { this.result = picture; });
    await poster.poster();
    poster.rest();
    this.what = `${variant.width} × ${variant.height} px, density ${variant.density}, ${kib(variant.bytes)}`;
    this.isMoving = !poster.isStill;
    this.paint();
  },

  paint() {
    if (!this.result) return;
    const context = byId('result').getContext('2d');
    const { width, height } = this.result;
    context.clearRect(0, 0, width, height);
    context.drawImage(this.result, 0, 0);
    byId('difference').setAttribute('aria-pressed', this.isDifference);
    byId('amplify').disabled = !this.isDifference;
    byId('result-stage').classList.toggle('shows-difference', this.isDifference);
    byId('result-caption').textContent = this.isDifference ? 'Difference' : 'Result';
    const frame = this.isMoving ? ' The frame that stands for the animation.' : '';
    byId('difference-note').textContent = this.isDifference ? this.paintDifference(context, width, height) : `${this.what}.${frame}`;
  },

  // What is visible: each channel on black and on white, the larger difference counts.
  paintDifference(context, width, height) {
    const artwork = byId('artwork').getContext('2d').getImageData(0, 0, width, height).data;
    const result = context.getImageData(0, 0, width, height);
    const amplify = Number(byId('amplify').value);
    let [largest, changed] = [0, 0];
    for (let at = 0; at < artwork.length; at += 4) {
      const [alpha, other] = [artwork[at + 3] / 255, result.data[at + 3] / 255];
      let most = 0;
      for (let channel = at; channel < at + 3; channel += 1) {
        const onBlack = artwork[channel] * alpha - result.data[channel] * other;
        const difference = Math.max(Math.abs(onBlack), Math.abs(onBlack - 255 * (alpha - other)));
        most = Math.max(most, difference);
        result.data[channel] = difference * amplify;
      }
      result.data[at + 3] = 255;
      largest = Math.max(largest, most);
      if (most >= 8) changed += 1;
    }
    context.putImageData(result, 0, 0);
    const share = number(changed * 400 / artwork.length, 1);
    return `Largest difference ${Math.round(largest)} of 255; ${share} % of the pixels differ by 8 or more.`;
  },

  showLadder(card) {
    this.rest();
    const shown = card.sticker.variants.map((variant) => {
      const figure = element('figure');
      const stage = element('div', undefined, 'stage ground');
      const canvas = Object.assign(element('canvas', undefined, 'picture'), { width: variant.width, height: variant.height });
      canvas.setAttribute('role', 'img');
      canvas.setAttribute('aria-label', `${card.sticker.name} at density ${variant.density}`);
      const caption = element('figcaption');
      const size = element('span', ` ${kib(variant.bytes)}`);
      size.prepend(element('b', variant.density));
      caption.append(size);
      if (variant.score !== null) caption.append(chip(variant.score));
      stage.append(canvas);
      figure.append(stage, caption);
      const player = card.player(variant, (picture) => {
        const context = canvas.getContext('2d');
        context.clearRect(0, 0, canvas.width, canvas.height);
        context.drawImage(picture, 0, 0);
      });
      this.players.push(player);
      return figure;
    });
    byId('ladder').replaceChildren(...shown);
    // In step: none begins before all can.
    const { players } = this;
    Promise.all(players.map((player) => player.load())).then(() => {
      if (players !== this.players) return;
      for (const player of players) if (view.playing) player.play(); else player.poster();
    });
  },

  rest() {
    for (const player of this.players) player.rest();
    this.players = [];
  },
};

closer.dialog.addEventListener('close', () => closer.rest());
closer.dialog.addEventListener('click', (event) => { if (event.target === closer.dialog) closer.dialog.close(); });
byId('difference').addEventListener('click', () => { closer.isDifference = !closer.isDifference; closer.paint(); });
byId('amplify').addEventListener('input', () => {
  byId('amplified').textContent = `${byId('amplify').value} ×`;
  closer.paint();
});

// The whole pack -----------------------------------------------------------------------------------------------------

const cards = data.stickers.map((sticker) => new Card(sticker));

function showBundles() {
  headings(byId('bundles-head'), ['Density', 'All stickers', ...data.networks.map((network) => network.name), 'Lowest', 'Mean']);
  const largest = Math.max(...data.bundles.map((bundle) => bundle.bytes));
  for (const { density, bytes } of data.bundles) {
    const variants = cards.map((card) => card.variantAt(density));
    const scores = variants.map((variant) => variant.score).filter((score) => score !== null);
    const row = element('tr');
    const head = element('th', density);
    head.scope = 'row';
    head.append(element('small', `${variants[0].width} × ${variants[0].height} ${variants[0].format === 'png' ? 'PNG' : 'WebP'}`));
    const size = element('td', kib(bytes));
    const bar = element('span', undefined, 'meter');
    bar.style.setProperty('--share', bytes / largest);
    size.append(bar);
    const [low, mean] = [element('td'), element('td')];
    low.append(chip(scores.length ? Math.min(...scores) : null));
    mean.append(chip(scores.length ? scores.reduce((sum, score) => sum + score, 0) / scores.length : null));
    row.append(head, size, ...data.networks.map((network) => element('td', seconds(bytes, network))), low, mean);
    byId('bundles').append(row);
  }
  const rates = data.networks.map(({ name, kilobits, round_trip_ms, profile }) =>
    `${name} is ${number(kilobits / 1000, 1)} Mbit/s with a round trip of ${round_trip_ms} ms (${profile})`);
  byId('assumed').textContent = `Times are one round trip and the bytes: ${rates.join(', ')}. Scores are SSIMULACRA2 against the artwork, ${data.scored_by_build
    ? 'as the build measured it, the lowest of the images that it scored' : 'resized to that density, the lowest of the frames looked at'}`
    + ' on black, white and mid-grey: above 90 hardly to be told from the artwork, from 75 nothing '
    + 'is missed in a chat, below 60 losses are plain.'
    + (data.some_were_drawn ? ' A sticker without a score was drawn at each density, as an SVG is, and not resized: '
      + 'a release holds its artwork at one size alone, with which the others cannot be compared.' : '');
}

function showPack() {
  say(byId('title'), data.titles);
  say(byId('description'), data.descriptions);
  document.title = `${inLocale(data.titles)} – sticker preview`;
  for (const card of cards) card.translate();
}

function options(select, values, text) {
  select.replaceChildren(...values.map((value) => Object.assign(element('option', text(value)), { value })));
}

function tellPlaying() {
  byId('play-all').textContent = view.playing ? 'Pause' : 'Play';
  byId('play-all').setAttribute('aria-label', view.playing ? 'Pause all' : 'Play all');
}

function setGround(ground) {
  document.body.dataset.ground = ground;
}

const locales = [...new Set([...Object.keys(data.titles), ...data.stickers.flatMap((sticker) => Object.keys(sticker.alt_texts))])].sort();
view.locale = navigator.languages.map((wanted) => locales.find((locale) => locale === wanted || locale === wanted.split('-')[0]))
  .find((locale) => locale !== undefined) ?? (locales.includes('en') ? 'en' : locales[0]);
view.density = data.compared_at;

const names = new Intl.DisplayNames(['en'], { type: 'language', fallback: 'code' });
options(byId('locale'), locales, (locale) => { try { return names.of(locale); } catch { return locale; } });
byId('locale').value = view.locale;
byId('locale-pick').hidden = locales.length < 2;
byId('locale').addEventListener('change', (event) => { view.locale = event.target.value; showPack(); });

options(byId('density'), data.bundles.map((bundle) => bundle.density), (density) => `${density} dpi`);
byId('density').value = view.density;
byId('density').addEventListener('change', (event) => {
  view.density = Number(event.target.value);
  for (const card of cards) card.show(view.density);
});

for (const radio of document.querySelectorAll('[name=ground]')) {
  radio.addEventListener('change', () => setGround(radio.value));
}
byId('play-all').addEventListener('click', () => {
  view.playing = !view.playing;
  tellPlaying();
  for (const card of cards) card.toggle(view.playing);
});
quiet.addEventListener('change', () => { if (quiet.matches && view.playing) byId('play-all').click(); });

byId('cover').src = `data:image/webp;base64,${byId('cover-image').textContent}`;
byId('artist').textContent = `by ${data.artist}`;
const facts = [`${data.stickers.length} ${data.stickers.length === 1 ? 'sticker' : 'stickers'}`, `${data.bundles.length} densities`,
  `${data.width_dp} × ${data.height_dp} dp`, `price: ${data.price_tier}`];
byId('facts').append(...facts.map((fact) => element('li', fact)));
byId('built').textContent = [data.copyright, `Built by ${data.packer}`, `release ${data.release}`].filter(Boolean).join(' · ');

setGround(document.querySelector('[name=ground]:checked').value);
byId('cards').append(...cards.map((card) => card.root));
showBundles();
showPack();
tellPlaying();
for (const card of cards) card.show(view.density);

const inView = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) cards.find((card) => card.root === target).seen(isIntersecting);
}, { rootMargin: '50% 0px' });
for (const card of cards) inView.observe(card.root);
