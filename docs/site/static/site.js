// A link to a file opens it, a button opens all, and the frame of a graph takes the height of its page.
"use strict";

function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target && target.matches("details.source")) {
    target.open = true;
    target.scrollIntoView();
  }
}

// The page of a graph tells its height, also where it was opened as a file.
function fit({ source, data }) {
  const frames = [...document.querySelectorAll("figure.graph iframe")];
  const frame = frames.find(({ contentWindow }) => contentWindow === source);
  if (frame && data.graphHeight > 0) frame.style.height = `${data.graphHeight + 2}px`; // with its border
}

// "Open all" and "Close all" above the files of a package, for printing and searching.
function addOpener(group) {
  const files = [...group.querySelectorAll("details.source")], button = document.createElement("button");
  if (files.length < 2) return;
  const name = () => { button.textContent = files.every(({ open }) => open) ? "Close all" : "Open all"; };
  button.type = "button";
  button.className = "open-all";
  button.addEventListener("click", () => {
    const open = !files.every((file) => file.open);
    for (const file of files) file.open = open;
    name();
  });
  group.addEventListener("toggle", name, true);
  group.prepend(button);
  name();
}

addEventListener("message", fit);
addEventListener("hashchange", openTarget);
addEventListener("DOMContentLoaded", () => {
  for (const group of document.querySelectorAll(".sources")) addOpener(group);
  openTarget();
});
