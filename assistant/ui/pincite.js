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
