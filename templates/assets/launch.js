// Posts the launch code of the address's fragment. The fragment is taken out of the history first, so that going back
// never shows it, and nothing but our own server ever gets it.
const code = location.hash.slice(1);
history.replaceState(null, "", location.pathname + location.search);

if (code) {
  const form = document.getElementById("launch");
  form.elements.code.value = code;
  form.submit();
} else {
  document.getElementById("opening").hidden = true;
  document.getElementById("closed").hidden = false;
}
