'use strict';

// Asks the packer for news for as long as the page is open. An answer comes at once where `seen` is not the newest, else with the
// next build, or after a while so that a question that nobody waits for any more ends.
{
  const news = document.getElementById('news');
  const chosen = () => [...document.querySelectorAll('[name=ground], #density, #locale')];
  const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });
  let isLeaving = false;
  let said = '';

  const say = (title, wrong = [], isQuiet = false) => {
    if (said === title + wrong.join()) return;
    said = title + wrong.join();
    news.classList.toggle('quiet', isQuiet);
    const made = (name, text) => Object.assign(document.createElement(name), { textContent: text });
    news.replaceChildren(...title ? [made('strong', title)] : [], ...wrong.map((text) => made('pre', text)));
    // Above a dialog that is open.
    news.togglePopover?.(false);
    news.togglePopover?.(title !== '');
  };

  // What was chosen and looked at is the same on the next page.
  const reload = () => {
    const kept = {
      scroll: window.scrollY,
      isPaused: document.getElementById('play-all')?.textContent === 'Play',
      values: chosen().map((it) => (it.type === 'radio' ? it.checked && it.value : it.value)),
      closer: document.querySelector('#closer[open] h2')?.textContent,
      isDifference: document.getElementById('difference')?.getAttribute('aria-pressed') === 'true',
    };
    sessionStorage.setItem('kept', JSON.stringify(kept));
    isLeaving = true;
    window.location.reload();
  };

  const restore = () => {
    const kept = JSON.parse(sessionStorage.getItem('kept') ?? 'null');
    sessionStorage.removeItem('kept');
    if (!kept) return;
    chosen().forEach((it, at) => {
      const value = kept.values[at];
      if (it.type === 'radio') it.checked = it.value === value;
      else if ([...it.options].some((option) => option.value === value)) it.value = value;
      if (it.type !== 'radio' || it.checked) it.dispatchEvent(new Event('change', { bubbles: true }));
    });
    const playing = document.getElementById('play-all');
    if (playing && kept.isPaused !== (playing.textContent === 'Play')) playing.click();
    const card = [...document.querySelectorAll('.card')].find((it) => it.querySelector('h3').textContent === kept.closer);
    card?.querySelector('.closer').click();
    if (card && kept.isDifference) document.getElementById('difference').click();
    window.scrollTo(0, kept.scroll);
  };

  const ask = async (seen) => {
    const answer = await fetch(`/news?seen=${seen}`, { cache: 'no-store' });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    return answer.json();
  };

  const listen = async () => {
    for (let seen = ''; !isLeaving;) {
      try {
        const { seen: newest, page, wrong } = await ask(seen);
        seen = newest;
        if (page && page !== news.dataset.page) reload();
        else if (wrong.length === 0) say('');
        else say(page ? 'The project cannot be built; this page shows the build before.' : 'The project cannot be built.', wrong);
      } catch {
        if (!isLeaving) say('The packer does not watch any more; this page stays as it is.', [], true);
        seen = '';
        await pause(1000);
      }
    }
  };

  window.addEventListener('pagehide', () => { isLeaving = true; });
  window.addEventListener('pageshow', (event) => { if (event.persisted) window.location.reload(); });
  restore();
  listen();
}
