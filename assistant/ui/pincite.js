// A citation chip in the chat opens its provision: its link names a button in the list of evidence, which is pressed.
document.addEventListener('click', (event) => {
  const chip = event.target.closest && event.target.closest('a[href*="#pin-"]');
  if (!chip) return;
  event.preventDefault();
  event.stopPropagation();
  const button = document.querySelector('[data-pin="' + CSS.escape(chip.getAttribute('href').split('#pin-')[1]) + '"]');
  if (!button) return;
  const group = button.closest('details');
  if (group) group.open = true;
  button.click();
  button.scrollIntoView({ block: 'nearest' });
}, true);
// A download says at once that it is being made, and says what is wrong instead of saving an error as a file.
document.addEventListener('click', async (event) => {
  const link = event.target.closest && event.target.closest('.pc-downloads a[download]');
  if (!link || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  if (link.getAttribute('aria-busy') === 'true') return;
  const group = link.closest('.pc-downloads');
  const said = group.querySelector('[role=status]') || group.appendChild(Object.assign(document.createElement('span'), {className: 'pc-where'}));
  said.setAttribute('role', 'status');
  said.textContent = 'Making ' + link.textContent + ' …';
  link.setAttribute('aria-busy', 'true');
  try {
    let answer;
    for (let tries = 0; ; tries += 1) {  // a server that is started again is back within seconds, and goes on with the file
      answer = await fetch(link.href).catch((error) => { if (tries === 8) throw error; });
      if (tries === 8 || (answer && ![502, 503, 504].includes(answer.status))) break;
      await new Promise((go) => setTimeout(go, 1500));
    }
    if (!answer.ok) {
      const told = await answer.json().catch(() => ({}));
      said.textContent = (told.error || told.detail || 'The file could not be made') + (told.hint ? '. ' + told.hint : '');
      return;
    }
    const name = /filename="([^"]+)"/.exec(answer.headers.get('content-disposition') || '');
    const address = URL.createObjectURL(await answer.blob());
    const save = Object.assign(document.createElement('a'), {href: address, download: name ? name[1] : 'pincite'});
    save.click();
    setTimeout(() => URL.revokeObjectURL(address), 60000);
    said.textContent = link.textContent + ' is saved.';
  } catch (error) {
    said.textContent = 'The server does not answer. Try again.';
  } finally {
    link.removeAttribute('aria-busy');
  }
}, true);
// Whatever is pressed says at once that it was taken: the button is busy, and a bar runs at the top, until the server has answered.
{
  const ask = window.fetch, waiting = new Map();
  let pressed = null;
  const sign = () => document.body.classList.toggle('pc-working', waiting.size > 0);
  const done = (id) => {
    const button = waiting.get(id);
    waiting.delete(id);
    if (button && ![...waiting.values()].includes(button)) button.removeAttribute('aria-busy');
    sign();
  };
  document.addEventListener('click', (event) => {
    const button = event.target.closest && event.target.closest('button, [role=option], [role=gridcell], input[type=radio], input[type=checkbox]');
    pressed = button && !button.disabled ? {button, at: performance.now()} : null;
  }, true);
  const ended = [];  // the events that ended last: an end may come before the answer that names its event
  const listen = (answer) => {
    let rest = '';
    const words = new TextDecoder();
    const through = new TransformStream({
      transform(chunk, next) {
        const told = (rest + words.decode(chunk, {stream: true})).split('\n\n');
        rest = told.pop();
        for (const one of told) {
          const id = /"process_completed"|"unexpected_error"/.test(one) && /"event_id": ?"([^"]+)"/.exec(one);
          if (id) { ended.push(id[1]); ended.splice(0, ended.length - 50); done(id[1]); }
        }
        next.enqueue(chunk);
      },
      flush() { for (const id of [...waiting.keys()]) if (!id.startsWith('asked')) done(id); },
    });
    return new Response(answer.body.pipeThrough(through), {status: answer.status, statusText: answer.statusText, headers: answer.headers});
  };
  let asked = 0;
  window.fetch = async (...given) => {
    const address = String((given[0] && given[0].url) || given[0]);
    if (address.includes('/queue/join')) {
      const button = pressed && performance.now() - pressed.at < 1000 ? pressed.button : null;
      const own = 'asked' + ++asked;
      waiting.set(own, button);
      if (button) button.setAttribute('aria-busy', 'true');
      sign();
      try {
        const answer = await ask(...given);
        const told = answer.ok ? await answer.clone().json().catch(() => ({})) : {};
        if (told.event_id && !ended.includes(told.event_id)) waiting.set(told.event_id, button);
        return answer;
      } finally {
        done(own);
      }
    }
    const answer = await ask(...given);
    return address.includes('/queue/data') && answer.ok && answer.body ? listen(answer) : answer;
  };
}
