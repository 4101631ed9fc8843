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
