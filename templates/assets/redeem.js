// Puts the code of the address's fragment into the field. The fragment is taken out of the history first: it reaches no server and no log,
// and going back never shows it. Whoever opened the link still says yes to it themselves.
const fragment = location.hash.slice(1);
history.replaceState(null, "", location.pathname + location.search);

if (fragment) {
  const field = document.getElementById("code");
  try {
    field.value = decodeURIComponent(fragment);
  } catch {
    field.value = fragment;
  }
}
