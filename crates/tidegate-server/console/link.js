// A link's secret is behind the #, which no browser sends and no proxy writes down. It is taken out of the
// address and sent as a form, as it would be if somebody typed it.
"use strict";

const form = document.querySelector("form[data-link]");
const secret = location.hash.slice(1);
if (secret) {
  history.replaceState(null, "", location.pathname);
  form.elements.link.value = secret;
  form.submit();
}
