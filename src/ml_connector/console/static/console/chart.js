// The volume chart: what was read and written, day by day.
(() => {
  const place = document.querySelector("[data-chart]");
  if (!place) return;
  const days = JSON.parse(document.getElementById(place.dataset.chart).textContent);
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  let plot;
  const draw = () => {
    plot?.destroy();
    const ink = colour("--ink-quiet");
    const axis = { stroke: ink, grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui" };
    const bars = uPlot.paths.bars({ size: [0.7, 28], gap: 2 });
    const series = (label, name) => ({ label, stroke: colour(name), fill: colour(name), width: 0, points: { show: false } });
    const top = (self, low, high) => [0, Math.max(high || 0, 4) * 1.1];
    plot = new uPlot({
      width: place.clientWidth, height: 200, cursor: { y: false, drag: { x: false } }, legend: { live: true },
      scales: { x: { time: false, range: (self, low, high) => [low - 0.6, high + 0.6] }, y: { range: top } },
      axes: [
        { ...axis, grid: { show: false }, values: (self, splits) => splits.map((at) => days[at] ? days[at].day.slice(5) : "") },
        { ...axis, size: 56, values: (self, splits) => splits.map((value) => value % 1 ? "" : value.toLocaleString("en")) },
      ],
      series: [
        { label: "Day", value: (self, at) => (at === null ? "" : days[at].day) },
        { ...series("Read", "--chart-soft"), paths: bars },
        { ...series("Written", "--chart"), paths: uPlot.paths.bars({ size: [0.35, 14] }) },
      ],
    }, [days.map((day, at) => at), days.map((day) => day.read), days.map((day) => day.written)], place);
  };
  draw();
  addEventListener("resize", draw);
  new MutationObserver(draw).observe(document.documentElement, { attributes: true, attributeFilter: ["data-bs-theme"] });
})();
