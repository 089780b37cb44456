"""The script of the page: points and rows light up together, sliders narrow both, buttons copy commands."""

from __future__ import annotations

SCRIPT = """
"use strict";
(() => {
  const all = (selector) => Array.from(document.querySelectorAll(selector));
  const rows = all("tr[data-model]");
  const pointed = document.getElementById("pointed");

  const light = (model) => {
    for (const item of all("[data-model]")) item.classList.toggle("lit", item.dataset.model === model);
    const mark = model && document.querySelector("a[data-model='" + model + "']");
    if (pointed) pointed.textContent = mark ? mark.getAttribute("aria-label") : "";
  };
  for (const item of all("[data-model]")) {
    item.addEventListener("pointerenter", () => light(item.dataset.model));
    item.addEventListener("focusin", () => light(item.dataset.model));
  }

  const controls = document.querySelector(".controls");
  if (controls && rows.length) {
    controls.hidden = false;
    const sliders = all("input[data-by]");
    const only = document.getElementById("frontier-only");
    const steps = new Map();
    for (const slider of sliders) {
      const by = slider.dataset.by;
      const sorted = rows.slice().sort((a, b) => Number(a.dataset[by]) - Number(b.dataset[by]));
      steps.set(slider, sorted);
      slider.max = String(sorted.length - 1);
      slider.value = slider.max;
    }
    const narrow = () => {
      const hidden = new Set();
      for (const slider of sliders) {
        const by = slider.dataset.by;
        const sorted = steps.get(slider);
        const limit = sorted[Number(slider.value)];
        const most = Number(slider.value) === sorted.length - 1;
        const said = most ? "any" : limit.dataset[by + "Words"];
        slider.parentElement.querySelector("output").textContent = said;
        slider.setAttribute("aria-valuetext", said);
        if (most) continue;
        for (const row of rows) {
          if (Number(row.dataset[by]) > Number(limit.dataset[by])) hidden.add(row.dataset.model);
        }
      }
      for (const row of rows) {
        if (only.checked && !row.classList.contains("frontier")) hidden.add(row.dataset.model);
      }
      for (const item of all("[data-model]")) item.classList.toggle("out", hidden.has(item.dataset.model));
    };
    for (const input of [...sliders, only]) input.addEventListener("input", narrow);
    narrow();
  }

  for (const figure of all("figure.command")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      const code = figure.querySelector("code");
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(code);
        button.textContent = "Selected";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
    figure.append(button);
  }
})();
"""
