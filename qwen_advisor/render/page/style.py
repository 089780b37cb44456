"""The style of the page: light and dark, wide and narrow, on paper too."""

from __future__ import annotations

from qwen_advisor.render.chart.svg import DARK, LIGHT
from qwen_advisor.render.chart.svg import STYLE as CHART

_PAGE = """
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif;
  overflow-wrap: anywhere; }
header, main, footer { max-width: 72rem; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 1.5rem; }
.for { color: var(--muted); margin: 0; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: .25rem 0 1rem; }
h2 { font-size: 1.2rem; margin: 0 0 .75rem; }
h3 { font-size: 1rem; margin: 1rem 0 .25rem; }
section { border-top: 1px solid var(--line); padding: 1.25rem 0; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.skip { position: absolute; left: -100vw; background: var(--ground); padding: .5rem; }
.skip:focus { left: 0; top: 0; z-index: 1; }
dl { margin: 0; display: grid; gap: .25rem; }
dl > div { display: grid; grid-template-columns: 9rem 1fr; gap: .5rem; }
dt { color: var(--muted); }
dd { margin: 0; }
ul { margin: .25rem 0; padding-left: 1.25rem; }
table { border-collapse: collapse; width: 100%; margin: .75rem 0; font-size: .95rem; }
caption { text-align: left; color: var(--muted); padding-bottom: .25rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line);
  font-variant-numeric: tabular-nums; }
tbody th { font-weight: 600; }
tr.total > * { border-bottom: 0; font-weight: 600; }
details { border: 1px solid var(--line); border-radius: .4rem; padding: .5rem .75rem; margin: .5rem 0; }
summary { cursor: pointer; }
.warnings { border-left: 4px solid var(--warn); padding-left: .5rem; }
svg.bar { display: block; width: 100%; min-width: 6rem; height: .8rem; margin-top: .35rem; background: var(--trough);
  fill: var(--accent); }
svg.bar.kv_cache { fill: var(--second); }
svg.bar.recurrent_state { fill: var(--third); }
svg.bar.compute_buffer { fill: var(--fourth); }
svg.bar.runtime_overhead, svg.bar.total { fill: var(--muted); }
svg.bar .expected { fill: var(--ink); }
.panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 1rem; }
svg.panel { width: 100%; height: auto; display: block; }
svg.panel a { cursor: pointer; text-decoration: none; }
svg.panel a:focus-visible { outline: none; }
svg.panel a:focus-visible circle { stroke: var(--ink); stroke-width: 4; }
.mark.lit circle { stroke: var(--ink); stroke-width: 3; }
.mark.lit .error { opacity: 1; }
.mark.out { opacity: .15; }
tr.lit > * { background: var(--trough); }
tr.out { opacity: .4; }
#pointed { display: block; min-height: 1.6em; margin-top: .5rem; }
.controls { display: flex; flex-wrap: wrap; gap: .5rem 2rem; margin: .75rem 0; align-items: end; }
.controls[hidden] { display: none; }
.controls input[type=range] { display: block; width: 14rem; max-width: 100%; }
input { accent-color: var(--accent); }
figure.command { margin: .5rem 0; position: relative; }
figcaption { color: var(--muted); }
pre { margin: 0; padding: .75rem 5rem .75rem .75rem; background: var(--trough); border-radius: .4rem; overflow-x: auto;
  white-space: pre-wrap; font: .9rem/1.4 ui-monospace, monospace; }
button { position: absolute; right: .4rem; bottom: .4rem; font: inherit; padding: .1rem .6rem; color: var(--on-accent);
  background: var(--accent); border: 0; border-radius: .3rem; cursor: pointer; }
footer { color: var(--muted); border-top: 1px solid var(--line); padding-top: 1rem; padding-bottom: 2rem; }
@media (max-width: 46rem) {
  svg.panel text { font-size: 16px; }
  svg.panel .title { font-size: 18px; }
  svg.panel .mark text { font-size: 14px; }
  #pointed { min-height: 4.8em; }
  thead { position: absolute; left: -100vw; }
  table, tbody, tr, caption { display: block; }
  tr { border-bottom: 1px solid var(--line); padding: .5rem 0; }
  th, td { display: grid; grid-template-columns: 8rem 1fr; gap: .5rem; border: 0; padding: .1rem 0; }
  td:empty { display: none; }
  th[data-label]::before, td[data-label]::before { content: attr(data-label); color: var(--muted); font-weight: 400; }
  dl > div { grid-template-columns: 7rem 1fr; }
}
@media print { .controls, button, .skip { display: none; } }
"""

_MORE_LIGHT = "--trough:#eef1f4;--warn:#a15c00;--second:#7a4fb0;--third:#0f7b6c;--fourth:#a8500f"
_MORE_DARK = "--trough:#232930;--warn:#f0b45a;--second:#c3a4ee;--third:#5cc9b6;--fourth:#f0a36b"

STYLE = (
    f":root{{{LIGHT};{_MORE_LIGHT};color-scheme:light}}"
    f"@media(prefers-color-scheme:dark){{:root{{{DARK};{_MORE_DARK};color-scheme:dark}}}}"
    f"{CHART}{_PAGE}"
)
