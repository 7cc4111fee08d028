"use strict";
(() => {
  const walks = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const SVG = "http://www.w3.org/2000/svg";
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  let walk = null, time = 0, playing = false, last = 0, next = 0, speed = 1;
  const view = { turn: -0.9, tilt: 0.18 };

  // ---- small helpers -------------------------------------------------------------------------------------------
  function make(tag, attributes = {}, ...inside) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...inside);
    return element;
  }
  function draw(tag, attributes = {}, ...inside) {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...inside);
    return element;
  }
  const seconds = (value) => `${value.toFixed(2)} s`;
  const called = (one) => `${walks.indexOf(one) + 1}. ${one.source}`;  // files of two folders may share their name
  const colour = (side) => (side === "left" ? "var(--left)" : side === "right" ? "var(--right)" : "var(--mark)");

  function joints(motion) {
    const bytes = Uint8Array.from(atob(motion.joints_mm), (c) => c.charCodeAt(0));
    return new Int16Array(bytes.buffer);
  }

  // ---- score -----------------------------------------------------------------------------------------------------
  function showScore() {
    const result = walk.result, card = byId("score-card");
    const estimate = make("div", { class: "estimate" },
      make("p", {}, make("strong", {}, result.said.estimate)), make("p", { class: "quiet" }, result.said.is_not));
    if (result.abstained) {
      card.replaceChildren(make("div", { class: "big", "aria-label": "no score" }, "–"),
        make("p", {}, `No gait score: ${result.abstain_reason}`), estimate);
      return;
    }
    const bars = make("div", { class: "bars", role: "list", "aria-label": "Probability of each score" });
    for (const [label, share] of Object.entries(result.probabilities)) {
      const fill = make("i");
      fill.style.width = `${100 * share}%`;
      bars.append(make("span", { role: "listitem" }, `Score ${label}`), make("div", { class: "bar", "aria-hidden": "true" }, fill),
        make("span", { role: "listitem" }, result.said.shares[label]));
    }
    card.replaceChildren(
      make("div", {}, make("div", { class: "big" }, String(result.score)), make("p", { class: "quiet" }, `of 0 (normal) to ${Object.keys(result.probabilities).length - 1}`)),
      make("div", {}, bars, make("p", { class: "quiet" }, `Mean by probability ${result.expected_score.toFixed(2)}. ${result.said.tie}`)), estimate);
  }

  // ---- the walk in 3D --------------------------------------------------------------------------------------------
  const sides = [null, "left", "right", null, "left", "right", null, "left", "right", null, "left", "right", null,
    "left", "right", null, "left", "right", "left", "right", "left", "right"];
  const KEPT = "As the motion tokens keep it, on a standard body";
  let panels = [], beside;  // "tokens" or the number of another walk
  function showViews() {
    const others = walks.map((one, i) => [String(i), one]).filter(([, one]) => one !== walk);
    const tokens = walk.rebuilt ? ["tokens"] : [], walked = others.map(([i]) => i);
    const allowed = walks.length === 2 ? [...walked, ...tokens] : [...tokens, ...walked];  // two walks are to be compared
    if (!allowed.includes(beside)) beside = allowed[0];
    panels = [{ motion: walk.motion, name: "As recorded" }];
    if (beside === "tokens") panels.push({ motion: walk.rebuilt, name: KEPT });
    else if (beside) panels.push({ motion: walks[beside].motion, name: `As recorded in ${called(walks[beside])}`, apart: true });
    for (const panel of panels) {
      panel.values = joints(panel.motion);
      panel.away = panel.apart ? travel() - travel(panel) : 0;  // walks are watched from the same side, wherever each went
    }
    byId("views").replaceChildren(...panels.map((panel, i) => {
      panel.canvas = make("canvas", { tabindex: "0", role: "img",
        "aria-label": `${panel.name}: a walking skeleton. Arrow keys turn it, the space bar plays and pauses.` });
      turnable(panel.canvas);
      return make("figure", {}, i && others.length ? choice(others) : make("figcaption", {}, panel.name), panel.canvas);
    }));
  }
  function choice(others) {
    const select = make("select", { onchange: () => { beside = select.value; showViews(); paint(); byId("beside").focus(); }, id: "beside" },
      ...(walk.rebuilt ? [make("option", { value: "tokens" }, KEPT)] : []),
      ...others.map(([i, one]) => make("option", { value: i }, `As recorded in ${called(one)}`)));
    select.value = beside;
    return make("figcaption", {}, make("label", {}, "Beside it: ", select));
  }
  function turnable(canvas) {
    let from = null;
    canvas.addEventListener("pointerdown", (event) => {
      from = [event.clientX, event.clientY, view.turn, view.tilt];
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!from) return;
      view.turn = from[2] + (event.clientX - from[0]) / 120;
      view.tilt = Math.max(-0.2, Math.min(1.5, from[3] + (event.clientY - from[1]) / 160));
      paint();
    });
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => { from = null; });
    canvas.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-0.15, 0], ArrowRight: [0.15, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] }[event.key];
      if (step) {
        view.turn += step[0];
        view.tilt = Math.max(-0.2, Math.min(1.5, view.tilt + step[1]));
        paint();
      } else if (event.key === " ") play(!playing);
      else return;
      event.preventDefault();
    });
  }
  function frameAt(panel) {
    const at = (time - (panel.motion.from_s || 0)) * panel.motion.rate_hz;
    return Math.max(0, Math.min(panel.motion.frames - 1, at));
  }
  function position(panel, at, joint) {
    const low = Math.floor(at), high = Math.min(low + 1, panel.motion.frames - 1), part = at - low;
    const place = (frame, axis) => panel.values[(frame * 22 + joint) * 3 + axis] + (axis === 1 ? 0 : panel.motion.path_mm[2 * frame + axis / 2]);
    return [0, 1, 2].map((axis) => (1 - part) * place(low, axis) + part * place(high, axis));
  }
  function paint() {
    for (const panel of panels) paintPanel(panel);
    moveHead();
  }
  function paintPanel(panel) {
    const canvas = panel.canvas, ratio = devicePixelRatio || 1;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    if (canvas.width !== Math.round(width * ratio)) { canvas.width = Math.round(width * ratio); canvas.height = Math.round(height * ratio); }
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    const at = frameAt(panel), centre = position(panel, at, 0);
    const turn = view.turn + panel.away;
    const scale = height / (1.25 * walk.tall_mm), [s, c, ts, tc] = [Math.sin(turn), Math.cos(turn), Math.sin(view.tilt), Math.cos(view.tilt)];
    const project = ([x, y, z]) => {
      const [dx, dz] = [x - centre[0], z - centre[2]];
      const across = c * dx + s * dz, deep = -s * dx + c * dz;
      return [width / 2 + across * scale, height * (0.5 + 0.36 * tc) - (y * tc - deep * ts) * scale, deep * tc];
    };
    const gone = walk.rebuilt && panel.motion === walk.rebuilt
      && (time < walk.rebuilt.from_s - 0.02 || time > walk.rebuilt.from_s + walk.rebuilt.frames / walk.rebuilt.rate_hz + 0.1);
    pen.lineWidth = 1;
    pen.strokeStyle = css("--line");
    const grid = 500, reach = 2000;
    const [gx, gz] = [Math.round(centre[0] / grid) * grid, Math.round(centre[2] / grid) * grid];
    pen.beginPath();
    for (let offset = -reach; offset <= reach; offset += grid) {
      for (const [from, to] of [[[gx + offset, 0, gz - reach], [gx + offset, 0, gz + reach]], [[gx - reach, 0, gz + offset], [gx + reach, 0, gz + offset]]]) {
        const [a, b] = [project(from), project(to)];
        pen.moveTo(a[0], a[1]);
        pen.lineTo(b[0], b[1]);
      }
    }
    pen.stroke();
    const places = Array.from({ length: 22 }, (_, joint) => project(position(panel, at, joint)));
    const bones = walk.parents.map((parent, joint) => [joint, parent]).filter(([, parent]) => parent >= 0)
      .sort((one, other) => places[one[0]][2] - places[other[0]][2]);  // the nearest last
    pen.lineCap = "round";
    pen.globalAlpha = gone ? 0.2 : 1;
    for (const [joint, parent] of bones) {
      pen.strokeStyle = sides[joint] === "left" ? css("--left") : sides[joint] === "right" ? css("--right") : css("--ink");
      pen.lineWidth = 5;
      pen.beginPath();
      pen.moveTo(places[parent][0], places[parent][1]);
      pen.lineTo(places[joint][0], places[joint][1]);
      pen.stroke();
    }
    pen.fillStyle = css("--ink");
    pen.beginPath();
    pen.arc(places[15][0], places[15][1] - 70 * scale, 95 * scale, 0, 7);
    pen.fill();
    pen.globalAlpha = 1;
    if (gone) {
      pen.fillStyle = css("--soft");
      pen.font = "14px system-ui, sans-serif";
      pen.fillText("this part was not shown to the model", 12, 22);
    }
  }

  // ---- player and timeline ---------------------------------------------------------------------------------------
  let slider, clock, playButton, head;
  function showPlayer() {
    slider = make("input", { type: "range", min: 0, max: walk.duration_s, step: 0.01, value: 0, "aria-label": "Time in the walk, seconds",
      oninput: () => { play(false); time = Number(slider.value); paint(); } });
    clock = make("span", { class: "quiet" });
    playButton = make("button", { type: "button", onclick: () => play(!playing) });
    const from = (name, turn, tilt) => make("button", { type: "button", onclick: () => { Object.assign(view, { turn: turn - travel(), tilt }); paint(); } }, name);
    const slow = make("button", { type: "button", "aria-pressed": String(speed !== 1), onclick: () => {
      speed = speed === 1 ? 0.25 : 1;
      slow.setAttribute("aria-pressed", String(speed !== 1));
    } }, "Slow");
    byId("player").replaceChildren(playButton, slow, slider, clock, from("Side", Math.PI / 2, 0.05), from("Front", 0, 0.05), from("Above", Math.PI / 2, 1.5));
    play(false);
  }
  function travel(panel = panels[0]) {
    // Angle of the way from the first to the last pelvis, 0 along +Z: "side" is the side of the walk.
    const [a, b] = [position(panel, 0, 0), position(panel, panel.motion.frames - 1, 0)];
    if (Math.hypot(b[0] - a[0], b[2] - a[2]) > 300) return Math.atan2(b[0] - a[0], b[2] - a[2]);
    const [l, r] = [position(panel, 0, 1), position(panel, 0, 2)];
    return Math.atan2(r[2] - l[2], l[0] - r[0]);
  }
  function play(on) {
    playing = on;
    playButton.textContent = on ? "Pause" : "Play";
    cancelAnimationFrame(next);
    if (on) { last = performance.now(); next = requestAnimationFrame(tick); }
  }
  function tick(now) {
    if (!playing) return;
    time += speed * (now - last) / 1000;
    last = now;
    if (time > walk.duration_s) time = 0;
    paint();
    next = requestAnimationFrame(tick);
  }
  const lane = { left: 14, right: 40, marks: 66 };
  let WIDE = 1000;  // drawn as wide as the page, so that letters keep their size
  const across = (value) => 60 + (WIDE - 70) * value / walk.duration_s;
  function showTimeline() {
    const picture = draw("svg", { viewBox: `0 0 ${WIDE} 104`, role: "img", "aria-label": "Timeline: when each foot is on the floor, turns, and what a number is measured from" });
    for (const side of ["left", "right"]) picture.append(draw("text", { x: 4, y: lane[side] + 12 }, side[0].toUpperCase() + side.slice(1)));
    const gait = walk.gait;
    if (gait) {
      for (const turn of gait.turns) picture.append(draw("rect", { x: across(turn.start_s), y: 6, width: across(turn.end_s) - across(turn.start_s), height: 76, fill: "var(--line)", opacity: 0.6 }, draw("title", {}, "turn")));
      for (const stance of gait.stances) {
        picture.append(draw("rect", { x: across(stance.start_s), y: lane[stance.side], width: Math.max(1, across(stance.end_s) - across(stance.start_s)), height: 16, rx: 3, fill: colour(stance.side) },
          draw("title", {}, `${stance.side} foot on the floor, ${seconds(stance.start_s)} to ${seconds(stance.end_s)}`)));
      }
    } else picture.append(draw("text", { x: 64, y: 34 }, "No steps of walking were found."));
    const step = [1, 2, 5, 10, 20, 60, 120, 300].find((one) => across(one) - across(0) > 44) || 600;
    for (let at = 0; at <= walk.duration_s; at += step) picture.append(draw("text", { x: across(at), y: 100, "text-anchor": "middle" }, `${at} s`));
    picture.append(draw("g", { id: "marks" }));
    head = draw("line", { y1: 4, y2: 86, stroke: "var(--ink)", "stroke-width": 2 });
    picture.append(head);
    picture.addEventListener("click", (event) => {
      const box = picture.getBoundingClientRect();
      const at = ((event.clientX - box.left) / box.width * WIDE - 60) / (WIDE - 70) * walk.duration_s;
      play(false);
      time = Math.max(0, Math.min(walk.duration_s, at));
      paint();
    });
    const legend = make("ul", { class: "legend" },
      make("li", {}, make("i", { class: "left" }), "left foot on the floor"), make("li", {}, make("i", { class: "right" }), "right foot on the floor"),
      ...(gait && gait.turns.length ? [make("li", {}, "grey: turn")] : []), ...(walk.rationale.length ? [make("li", {}, "below, once a number of the rationale is pointed at: the strides it is measured from")] : []));
    byId("timeline").replaceChildren(picture, legend);
  }
  function moveHead() {
    slider.value = time;
    clock.textContent = seconds(time);
    head.setAttribute("x1", across(time));
    head.setAttribute("x2", across(time));
  }

  // ---- claims ----------------------------------------------------------------------------------------------------
  const measure = (name) => walk.measures.find((one) => one.name === name);
  function showRationale() {
    const place = byId("rationale"), checked = walk.result.grounding;
    const text = make("p");
    for (const piece of walk.rationale) {
      if (!piece.names) { text.append(piece.text); continue; }
      const names = piece.names.map((name) => measure(name).label).join(", ");
      const claim = make("button", { type: "button", class: `claim ${piece.role === "norm" ? "norm" : ""}`, "aria-label": `${piece.text}, ${piece.role === "norm" ? "norm of " : ""}${names}` }, piece.text);
      const on = () => point(claim, piece), off = () => point(null);
      for (const name of ["mouseenter", "focus"]) claim.addEventListener(name, on);
      for (const name of ["mouseleave", "blur"]) claim.addEventListener(name, off);
      claim.addEventListener("click", () => {
        const first = piece.names.flatMap((name) => measure(name).samples)[0];
        if (first) { play(false); time = first.start_s; paint(); }
      });
      text.append(claim);
    }
    place.replaceChildren();
    if (walk.rationale.length) place.append(text);
    else place.append(make("p", { class: "quiet" }, walk.result.abstained ? "No rationale: the model gave no score." : "No rationale: the model wrote none."));
    if (checked.claims) place.append(make("p", { class: "quiet" }, `${walk.result.said.checked} Point at a number to see the strides it is measured from; choose it to go there.`));
    for (const text of new Set(checked.unsupported.map((claim) => claim.text))) {
      const faults = checked.unsupported.filter((claim) => claim.text === text);
      const said = faults.map((claim) => `${claim.stated}; measured: ${claim.measured}`).join(", ");
      place.append(make("p", {}, make("del", {}, text), ` Taken out: it says ${said}.`));
    }
  }
  function point(claim, piece) {
    const marks = byId("marks"), tip = byId("tip");
    marks.replaceChildren();
    for (const element of document.querySelectorAll(".on")) element.classList.remove("on");
    tip.hidden = !claim;
    if (!claim) return;
    claim.classList.add("on");
    const lines = [];
    for (const name of piece.names) {
      const one = measure(name);
      byId(`row-${name}`)?.classList.add("on");
      if (piece.role === "norm") { lines.push(`${one.label}: ${one.norm || "no norm is published"}`); continue; }
      for (const sample of one.samples) {
        marks.append(draw("rect", { x: across(sample.start_s) - (sample.end_s > sample.start_s ? 0 : 2), y: lane.marks, width: Math.max(4, across(sample.end_s) - across(sample.start_s) - 1), height: 14, rx: 3, fill: colour(one.side || sample.side), opacity: 0.85 }));
      }
      const each = one.samples.map((sample) => sample.number.toFixed(one.decimals)).join(", ");
      lines.push(`${one.label}: ${one.text || "not measured"}` + (each ? `, from ${each}` : "") + (one.caution ? `. Read with care: ${one.caution}` : ""));
    }
    tip.replaceChildren(...lines.map((line) => make("div", {}, line)));
    const box = claim.getBoundingClientRect();
    tip.style.left = `${Math.max(8, Math.min(innerWidth - 336, box.left))}px`;
    tip.style.top = box.bottom + 120 > innerHeight ? "" : `${box.bottom + 8}px`;
    tip.style.bottom = box.bottom + 120 > innerHeight ? `${innerHeight - box.top + 8}px` : "";
  }

  document.addEventListener("keydown", (event) => { if (event.key === "Escape") point(null); });

  // ---- footprints ------------------------------------------------------------------------------------------------
  function showFootprints() {
    const place = byId("footprints"), placed = walk.gait ? walk.gait.stances.filter((stance) => stance.at_m) : [];
    if (!placed.length) { place.replaceChildren(make("p", { class: "quiet" }, "No steps of walking were found.")); return; }
    // Along the page goes the walk, left of the walker is up.
    const turn = travel(), [s, c] = [Math.sin(turn), Math.cos(turn)];
    const spots = placed.map((stance) => ({ ...stance, x: s * stance.at_m[0] + c * stance.at_m[1], y: s * stance.at_m[1] - c * stance.at_m[0] }));
    const range = (values) => [Math.min(...values), Math.max(...values)];
    const [x0, x1] = range(spots.map((spot) => spot.x)), [y0, y1] = range(spots.map((spot) => spot.y));
    const scale = Math.min((WIDE - 60) / Math.max(x1 - x0, 0.5), 260 / Math.max(y1 - y0, 0.25), 260);
    const high = (y1 - y0) * scale + 70;
    const picture = draw("svg", { viewBox: `0 0 ${WIDE} ${high + 24}`, role: "img", "aria-label": "Footprints seen from above, in the order of the steps" });
    const way = spots.slice().sort((one, other) => one.start_s - other.start_s || one.end_s - other.end_s);
    const turned = (i) => {  // along the way of the other foot around it
      const [from, to] = way.length < 3 ? [way[0], way[way.length - 1]] : i === 0 ? [way[0], way[2]] : i === way.length - 1 ? [way[i - 2], way[i]] : [way[i - 1], way[i + 1]];
      return Math.atan2(to.y - from.y, to.x - from.x) * 180 / Math.PI;
    };
    picture.append(draw("polyline", { points: way.map((spot) => `${30 + (spot.x - x0) * scale},${35 + (spot.y - y0) * scale}`).join(" "), fill: "none", stroke: "var(--line)", "stroke-width": 1.5 }));
    for (const [i, spot] of way.entries()) {
      const [x, y] = [30 + (spot.x - x0) * scale, 35 + (spot.y - y0) * scale];
      picture.append(draw("ellipse", { cx: x, cy: y, rx: Math.max(5, 0.09 * scale), ry: Math.max(3, 0.035 * scale), transform: `rotate(${turned(i).toFixed(1)} ${x} ${y})`, fill: colour(spot.side) },
        draw("title", {}, `${spot.side} foot, ${seconds(spot.start_s)}`)));
    }
    picture.append(draw("line", { x1: 30, x2: 30 + scale, y1: high, y2: high, stroke: "var(--soft)", "stroke-width": 2 }), draw("text", { x: 36 + scale, y: high + 4 }, "1 m"));
    place.replaceChildren(picture, make("ul", { class: "legend" }, make("li", {}, make("i", { class: "left" }), "left"), make("li", {}, make("i", { class: "right" }), "right"), make("li", {}, "from left, where the walk starts, to right, where it ends")));
  }

  // ---- parameters ------------------------------------------------------------------------------------------------
  function showParameters() {
    const rows = walk.measures.map((one) => {
      const row = make("tr", { id: `row-${one.name}` }, make("th", { scope: "row" }, one.label),
        make("td", { class: "number" }, one.text || "–"), make("td", {}, normBar(one)));
      const said = one.text === null ? one.reason || "not measurable in this clip" : [one.word, one.caution ? `read with care: ${one.caution}` : ""].filter(Boolean).join("; ");
      row.append(make("td", { class: "quiet" }, said));
      return row;
    });
    byId("parameter-table").replaceChildren(
      make("caption", { class: "quiet" }, `Green: the usual range, ${walk.usual}`),
      make("thead", {}, make("tr", {}, ...["Measure", "Value", "Beside the usual range", "Remark"].map((text) => make("th", { scope: "col" }, text)))), make("tbody", {}, ...rows));
  }
  function normBar(one) {
    if (!one.usual || one.number === null) return "";
    let [low, high] = one.usual;
    low = low ?? 0;
    const width = high - low;
    const [from, to] = [Math.min(low - width, one.number), Math.max(high + width, one.number)];
    const at = (value) => 6 + 188 * (value - from) / (to - from || 1);
    const limit = (value) => (value === null ? "" : draw("text", { x: at(value), y: 31, "text-anchor": "middle" }, value.toFixed(one.decimals)));
    return draw("svg", { viewBox: "0 0 200 34", role: "img", "aria-label": `${one.text}; usual ${one.usual[0] ?? "up"} to ${one.usual[1]} ${one.unit}` },
      draw("line", { x1: 6, x2: 194, y1: 11, y2: 11, stroke: "var(--line)", "stroke-width": 2 }),
      draw("rect", { x: at(low), y: 4, width: at(high) - at(low), height: 14, rx: 3, fill: "var(--norm)", stroke: "var(--norm-line)" }),
      draw("circle", { cx: at(one.number), cy: 11, r: 5, fill: one.caution ? "var(--ground)" : colour(one.side), stroke: colour(one.side), "stroke-width": 2 }),
      ...one.usual.map(limit));
  }

  // ---- gait cycle ------------------------------------------------------------------------------------------------
  function showCurves() {
    const curves = walk.curves || [];
    byId("cycle").hidden = !curves.length;
    byId("curves").replaceChildren(...curves.map((curve) => {
      const all = [...["left", "right"].flatMap((side) => (curve[side] ? [...curve[side].strides, curve[side].mean].flat() : [])), ...(curve.normal || []), ...(curve.band || []).flat()].filter((v) => v !== null);
      const [low, high] = [Math.min(0, ...all), Math.max(0, ...all)], pad = 0.06 * (high - low || 1);
      const tens = [5, 10, 20, 50].find((one) => (high - low) / one <= 5) || 100;
      const [x, y] = [(i) => 42 + 258 * i / 100, (v) => 150 - 130 * (v - low + pad) / (high - low + 2 * pad)];
      const path = (values) => values.map((v, i) => `${i ? "L" : "M"}${x(i * 100 / (values.length - 1)).toFixed(1)} ${y(v).toFixed(1)}`).join("");
      const picture = draw("svg", { viewBox: "0 0 320 186", role: "img", "aria-label": `${curve.label} over the gait cycle, left and right, ${curve.unit}` });
      if (curve.band) {
        const [low, high] = curve.band.map((limit) => limit.map((v, i) => `${x(i * 100 / (limit.length - 1)).toFixed(1)} ${y(v).toFixed(1)}`));
        picture.append(draw("polygon", { points: [...high, ...low.reverse()].join(" "), fill: "var(--norm)" }));
      }
      picture.append(draw("line", { x1: x(0), x2: x(100), y1: y(0), y2: y(0), stroke: "var(--line)" }));
      if (curve.normal) picture.append(draw("path", { d: path(curve.normal), fill: "none", stroke: "var(--norm-line)", "stroke-width": 2, "stroke-dasharray": "5 4" }));
      for (const side of ["left", "right"]) {
        if (!curve[side]) continue;
        for (const stride of curve[side].strides) picture.append(draw("path", { d: path(stride), fill: "none", stroke: colour(side), "stroke-width": 1, opacity: 0.3 }));
        picture.append(draw("path", { d: path(curve[side].mean), fill: "none", stroke: colour(side), "stroke-width": 2.5, ...(side === "right" ? { "stroke-dasharray": "9 3" } : {}) }));
        if (curve[side].off_percent) picture.append(draw("line", { x1: x(curve[side].off_percent), x2: x(curve[side].off_percent), y1: 20, y2: 150, stroke: colour(side), "stroke-dasharray": "2 3" }));
      }
      for (const tick of [0, 50, 100]) picture.append(draw("text", { x: x(tick), y: 166, "text-anchor": "middle" }, `${tick} %`));
      for (let tick = Math.ceil(low / tens) * tens; tick <= high; tick += tens) picture.append(draw("text", { x: 36, y: y(tick) + 4, "text-anchor": "end" }, String(tick)));
      picture.append(draw("text", { x: 176, y: 182, "text-anchor": "middle" }, "of the stride, from foot strike"));
      return make("figure", {}, make("figcaption", {}, `${curve.label}, ${curve.unit}`), picture);
    }));
    const legend = make("p", { class: "quiet whole" }, "Blue: left; orange, dashed: right. Thin: single strides; thick: their mean; dotted: where the foot leaves the floor. Green: the usual range of healthy adults of 50 years and more at their own speed, mean and 1.5 standard deviations; slower walkers bend less, whatever their health. Of the arm none was published.");
    byId("curves").append(...(walk.animated ? [make("p", { class: "whole" }, walk.animated)] : []), legend);
  }

  // ---- tokens, notes, visits -------------------------------------------------------------------------------------
  function showTokens() {
    const { numbers, per_s, from_s } = walk.codes, place = byId("token-strip");
    if (!numbers.length) { place.replaceChildren(make("p", { class: "quiet" }, "The motion was not encoded.")); return; }
    const rows = 8, columns = Math.ceil(numbers.length / rows), cell = WIDE / columns;
    const picture = draw("svg", { viewBox: `0 0 ${WIDE} ${rows * 10}`, preserveAspectRatio: "none", role: "img", "aria-label": `${numbers.length} motion tokens` });
    picture.style.height = "90px";
    numbers.forEach((code, i) => picture.append(draw("rect", { x: Math.floor(i / rows) * cell, y: (i % rows) * 10, width: cell, height: 10, fill: `hsl(${(code * 137.5) % 360} 55% 55%)` },
      draw("title", {}, `<motion_${code}> at ${seconds(from_s + i / per_s)}`))));
    place.replaceChildren(picture, make("p", { class: "quiet" }, `${numbers.length} tokens from ${seconds(from_s)} on, ${per_s} a second: what the language model sees of the movement. A column is one step of the motion tokenizer.`));
  }
  function showNotes() {
    const notes = walk.warnings;
    byId("warnings").replaceChildren(...(notes.length ? notes : ["Nothing particular."]).map((note) => make("li", {}, note)));
  }
  function showVisits() {
    if (walks.length < 2) return;
    byId("visits").hidden = false;
    const names = ["walking_speed_mps", "stride_length_m", "arm_swing_left_deg", "arm_swing_right_deg"];
    const find = (one, name) => one.measures.find((m) => m.name === name);
    byId("visit-table").replaceChildren(
      make("thead", {}, make("tr", {}, ...["Walk", "Score", "Expected", ...names.map((name) => find(walks[0], name).label)].map((text) => make("th", { scope: "col" }, text)))),
      make("tbody", {}, ...walks.map((one, i) => make("tr", {}, make("th", { scope: "row" }, make("button", { type: "button", "aria-pressed": "false", "data-walk": i, onclick: () => show(i) }, called(one))),
        make("td", { class: "number" }, one.result?.abstained === false ? String(one.result.score) : "none"), make("td", { class: "number" }, one.result?.abstained === false ? one.result.expected_score.toFixed(2) : "–"),
        ...names.map((name) => make("td", { class: "number" }, find(one, name).text || "–"))))));
    // On scales that hold all scores or the usual range, so that small changes look small.
    const scores = walks.flatMap((one) => Object.keys(one.result?.probabilities || {}).map(Number));
    const most = Math.max(...scores, 3);
    const trends = [{ title: `Expected score, of 0 to ${most}`, colour: "var(--mark)", decimals: 2, usual: [], scale: [0, most], values: walks.map((one) => one.result?.expected_score ?? null) },
      ...names.map((name) => find(walks[0], name)).map((one) => ({ title: `${one.label}, ${one.unit}`, colour: colour(one.side), decimals: one.decimals, usual: one.usual || [], scale: one.usual || [], values: walks.map((other) => find(other, one.name).number) }))];
    byId("trend").replaceChildren(...trends.map(showTrend));
  }
  function showTrend({ title, colour, decimals, usual, scale, values }) {
    const known = values.filter((v) => v !== null);
    if (!known.length) return "";
    const all = [...known, ...scale.filter((v) => v !== null)], [low, high] = [Math.min(...all), Math.max(...all)], pad = (high - low || 1) * 0.15;
    const [x, y] = [(i) => 30 + 270 * i / (values.length - 1), (v) => 84 - 66 * (v - low + pad) / (high - low + 2 * pad)];
    const said = values.map((v, i) => `${i + 1}: ${v === null ? "none" : v.toFixed(decimals)}`).join(", ");
    const picture = draw("svg", { viewBox: "0 0 320 104", role: "img", "aria-label": `${title} over the walks, ${said}` });
    if (usual.length) {
      const [bottom, top] = [y(usual[0] ?? low - pad), y(usual[1] ?? high + pad)];
      picture.append(draw("rect", { x: 14, width: 302, y: top, height: bottom - top, fill: "var(--norm)" }));
    }
    // Where a walk has no value the line ends: nothing is known of what lies between.
    const line = values.map((v, i) => (v === null ? "" : `${i && values[i - 1] !== null ? "L" : "M"}${x(i)} ${y(v)}`)).join("");
    picture.append(draw("path", { d: line, fill: "none", stroke: colour, "stroke-width": 2 }));
    values.forEach((v, i) => { if (v !== null) picture.append(draw("circle", { cx: x(i), cy: y(v), r: 4, fill: colour })); });
    const every = Math.ceil(values.length / 7);  // letters need room
    values.forEach((v, i) => {
      if (i % every) return;
      if (v !== null) picture.append(draw("text", { x: x(i), y: y(v) - 8, "text-anchor": "middle" }, v.toFixed(decimals)));
      picture.append(draw("text", { x: x(i), y: 100, "text-anchor": "middle" }, String(i + 1)));
    });
    return make("figure", {}, make("figcaption", {}, title), picture);
  }

  function show(index) {
    walk = walks[index];
    time = 0;
    document.title = `Gait report: ${walk.source}`;
    byId("origin").textContent = walk.source;
    for (const button of document.querySelectorAll("[data-walk]")) button.setAttribute("aria-pressed", String(Number(button.dataset.walk) === index));
    WIDE = Math.max(300, byId("timeline").clientWidth);
    document.body.classList.toggle("unassessed", !walk.result);
    showViews(); showPlayer(); showTimeline(); showFootprints(); showCurves(); showParameters(); showNotes();
    if (walk.result) { showScore(); showRationale(); showTokens(); }
    Object.assign(view, { turn: Math.PI / 2 - travel() - 0.5, tilt: 0.15 });
    paint();
    if (!still) play(true);
  }
  showVisits();
  show(0);
  new ResizeObserver(() => {  // also when a frame around the page gets its size
    const width = Math.max(300, byId("timeline").clientWidth);
    if (width !== WIDE) { WIDE = width; showTimeline(); showFootprints(); showTokens(); }
    paint();
  }).observe(byId("timeline"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
})();
