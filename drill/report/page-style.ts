import { Html } from "./html.ts";

/**
 * One column of hairlines and figures, no cards: the page is read from top to bottom, the morning after.
 * Colour says good, accepted or bad and which phase a bar is; each is written beside it as well. Every text colour
 * has a contrast of at least 4.5 against its ground in both schemes (held by a test in a browser).
 */
export const pageStyle = new Html(`
:root{color-scheme:light dark;--ground:#fafaf8;--ink:#1a1d21;--quiet:#565d66;--line:#dcdcd6;--rail:#e9e9e3;--good:#17663a;--note:#835000;--bad:#b0241c;--link:#1b5596;
--good-bar:#2f8555;--note-bar:#b9791a;--bad-bar:#c8362d;
--setup:#8b939c;--protect:#5d7b9d;--disaster:#b0241c;--detect:#b9791a;--recover:#1f63b0;--validate:#2b7f71}
@media (prefers-color-scheme:dark){:root{--ground:#15181b;--ink:#e8eaec;--quiet:#a3abb4;--line:#31363c;--rail:#262b30;--good:#72c795;--note:#e9b35c;--bad:#ff8d84;--link:#8fbdf2;
--good-bar:#4fa477;--note-bar:#c98f35;--bad-bar:#e2665c;
--setup:#77808a;--protect:#7f9fc4;--disaster:#f0746a;--detect:#d9a045;--recover:#5c9ce6;--validate:#4fb0a0}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif;font-variant-numeric:tabular-nums;overflow-wrap:break-word}
main,footer{max-width:68rem;margin:0 auto;padding:0 1.5rem}
main{padding-top:2.5rem}
footer{padding-top:1.5rem;padding-bottom:3rem;color:var(--quiet);font-size:.875rem}
h1{font-size:2rem;line-height:1.2;margin:.25rem 0 1.25rem;font-weight:650;letter-spacing:-.01em;text-wrap:balance}
h2{font-size:1.375rem;line-height:1.3;margin:3rem 0 .5rem;padding-top:1rem;border-top:2px solid var(--ink);font-weight:650}
h3{font-size:1rem;margin:2rem 0 .25rem;font-weight:650}
p{margin:.25rem 0 .75rem;max-width:46rem}
a{color:var(--link)}
code,td.code>span{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.8125rem}
.eyebrow{margin:0;color:var(--quiet);font-size:.9375rem}
.eyebrow>*::before{content:"·";margin:0 .35em}
.outcome,.verdict{font-weight:600;white-space:nowrap}
.verdict{white-space:normal}
h1 .outcome{display:block;font-size:1.125rem;margin-bottom:.25rem}
h2 .outcome{font-size:1rem;margin-left:.5rem}
.good{color:var(--good)}.note{color:var(--note)}.bad{color:var(--bad)}.quiet{color:var(--quiet)}
.sub{color:var(--quiet);font-weight:400;font-size:.8125rem}
.sub.bad{color:var(--bad)}
th .sub,td.bar .sub{display:block}
.complaints{margin:0 0 1.25rem;padding:0;list-style:none;max-width:52rem}
.complaints li{border-left:3px solid var(--bad-bar);padding:.125rem 0 .125rem .75rem;margin:.375rem 0}
dl{margin:0}dd{margin:0}
.figures{display:grid;grid-template-columns:repeat(4,auto);justify-content:start;gap:0 3.5rem;margin-bottom:2rem}
.figures dt,.facts dt{color:var(--quiet);font-size:.875rem}
.figures dd{font-size:1.75rem;line-height:1.25;font-weight:600;letter-spacing:-.01em}
.figures small{font-size:1rem;font-weight:400;color:var(--quiet);letter-spacing:0}
.facts{display:flex;flex-wrap:wrap;gap:.5rem 2.5rem;margin:.25rem 0 0}
.facts small{display:block;font-weight:400;color:var(--quiet);font-size:.8125rem}
.facts dd{font-weight:600}
table{width:100%;border-collapse:collapse;font-size:.9375rem}
caption{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
th,td{text-align:left;vertical-align:baseline;padding:.375rem 1.25rem .375rem 0;border-bottom:1px solid var(--line);font-weight:400}
th:last-child,td:last-child{padding-right:0}
thead th{color:var(--quiet);font-size:.8125rem;vertical-align:bottom}
tbody th{font-weight:600}
th.figure,td.figure{text-align:right;white-space:nowrap}
.objectives th:first-child{width:22%}
.objectives td.bar{width:27%}
.objectives td,.objectives tbody th{vertical-align:middle}
td.code,td.text,tbody th,h1,h2,li,p,dd,.sub{overflow-wrap:anywhere}
tbody th{min-width:7rem}
td.text{min-width:5rem}
.evidence th:first-child{width:38%}
.evidence tbody th{font-weight:400}
.evidence td:last-child{white-space:nowrap}
span.bar{display:block;position:relative;height:.625rem;margin:.4375rem 0 .1875rem;background:var(--rail);border-radius:1px}
.fill,.tick,.span,.disaster-line,.mark{position:absolute;top:0;bottom:0;display:block}
.fill{left:0;min-width:2px;border-radius:1px;background:var(--good-bar)}
.fill.note{background:var(--note-bar)}.fill.bad{background:var(--bad-bar)}
.tick{width:2px;margin-left:-2px;top:-.1875rem;bottom:-.1875rem;background:var(--ink)}
.notes{margin:.75rem 0 0;padding:0;list-style:none;color:var(--quiet);font-size:.8125rem}
.timeline th:first-child{width:31%}
.timeline td.bar{width:42%;padding-top:0;padding-bottom:0;height:1px}
.timeline td.bar>span{display:block;height:100%;min-height:2rem}
.timeline td,.timeline tbody th{vertical-align:middle;padding-top:.3125rem;padding-bottom:.3125rem}
.track{display:block;position:relative;height:100%;min-height:inherit}
.span{top:50%;bottom:auto;height:.75rem;margin-top:-.375rem;min-width:3px;border-radius:1px;background:var(--setup)}
.span.protect{background:var(--protect)}.span.disaster{background:var(--disaster)}.span.detect{background:var(--detect)}.span.recover{background:var(--recover)}.span.validate{background:var(--validate)}
.span.failed{outline:2px solid var(--bad);outline-offset:2px}
.disaster-line{width:2px;margin-left:-1px;background:var(--disaster)}
.mark{top:auto;bottom:.25rem;font-style:normal;font-size:.75rem;color:var(--quiet);transform:translateX(-50%);white-space:nowrap;background:var(--ground);padding:0 .25rem}
.phase{font-size:.8125rem;white-space:nowrap}
.phase::before{content:"";display:inline-block;width:.625rem;height:.625rem;margin-right:.4375rem;border-radius:1px;background:var(--setup)}
.phase.protect::before{background:var(--protect)}.phase.disaster::before{background:var(--disaster)}.phase.detect::before{background:var(--detect)}.phase.recover::before{background:var(--recover)}.phase.validate::before{background:var(--validate)}
.faults{margin:.25rem 0 0;padding:0;list-style:none}
.faults .at{display:inline-block;min-width:5rem;color:var(--quiet)}
.tools{display:grid;grid-template-columns:repeat(auto-fill,minmax(11rem,1fr));gap:.25rem 1.5rem}
.tools div{display:flex;gap:.5rem}
.tools dt{color:var(--quiet)}
@media (max-width:46rem){
main,footer{padding-left:1rem;padding-right:1rem}
main{padding-top:1.5rem}
h1{font-size:1.5rem}
h2{margin-top:2.5rem}
h2 .outcome{display:block;margin-left:0}
.figures{grid-template-columns:1fr 1fr;gap:1rem 1.5rem}
.figures dd{font-size:1.375rem}
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
table,tbody,tr,tbody th,td{display:block;width:auto}
tr{padding:.625rem 0;border-bottom:1px solid var(--line)}
tbody th,td,.timeline tbody th,.timeline td{padding:.0625rem 0;border:0}
.objectives th:first-child,.timeline th:first-child,.evidence th:first-child,.objectives td.bar,.timeline td.bar{width:auto}
td{display:flex;justify-content:space-between;gap:1rem;text-align:right}
td::before{content:attr(data-label);color:var(--quiet);font-size:.8125rem;text-align:left;flex:none}
td>span{min-width:0}
td.bar{display:block;text-align:left}
td.bar::before{content:none}
td.code{display:block;text-align:left}
td.code::before{display:block}
.objectives tbody tr{display:grid;grid-template-columns:repeat(3,1fr);gap:.25rem 1rem}
.objectives tbody th{grid-column:1/3}
.objectives td:last-child{grid-row:1;grid-column:3;display:block;text-align:right}
.objectives td:last-child::before{content:none}
.objectives td.figure{display:block;text-align:left;white-space:normal}
.objectives td.figure::before{display:block}
.objectives td.bar{grid-column:1/-1}
.timeline tr{display:grid;grid-template-columns:1fr auto;column-gap:1rem;padding:.5rem 0 .25rem}
.timeline tbody th{grid-column:1;min-width:0}
.timeline td::before{content:none}
.timeline td:nth-child(2){grid-row:2;justify-content:flex-start}
.timeline td:nth-child(3){grid-row:2;grid-column:2;justify-content:flex-end;color:var(--quiet);font-size:.8125rem}
.timeline td.bar{grid-column:1/-1;grid-row:3;height:auto}
.timeline td.bar>span{height:1.5rem;min-height:1.5rem}
.timeline td:nth-child(5){grid-row:1;grid-column:2;justify-content:flex-end}
.timeline tbody tr:first-child{display:block}
.timeline tbody tr:first-child td:not(.bar){display:none}
.faults .at{min-width:4rem}
}
@media print{body{background:#fff}h2{break-before:page}tr,.figures{break-inside:avoid}}
`);
