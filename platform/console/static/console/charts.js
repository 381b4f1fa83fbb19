// Draws what [data-chart] names. The data are asked for with the page's own session; numbers come as text.
(() => {
  "use strict";
  const { createChart, createSeriesMarkers, LineSeries, AreaSeries } = window.LightweightCharts;
  const RENEWED_MS = 30000;
  const COLOURS = ["#0d9488", "#d97706", "#2563eb", "#9333ea", "#dc2626"];
  const BUY = "#15803d", SELL = "#dc2626";
  const charts = new Map();

  const isDark = () => document.documentElement.classList.contains("dark");
  const look = () => ({
    layout: {
      background: { color: "transparent" },
      textColor: isDark() ? "#a1a1aa" : "#52525b",
      fontFamily: "Inter, sans-serif",
    },
    grid: {
      vertLines: { color: isDark() ? "#27272a" : "#f4f4f5" },
      horzLines: { color: isDark() ? "#27272a" : "#f4f4f5" },
    },
    rightPriceScale: { borderVisible: false },
    timeScale: { borderVisible: false, timeVisible: true, secondsVisible: false },
  });

  const decimals = (points) => {
    const largest = Math.max(0, ...points.map((point) => Math.abs(point.value)));
    if (!largest) return 2;
    return Math.min(8, Math.max(2, 5 - Math.floor(Math.log10(largest))));
  };
  const format = (points) => {
    const precision = decimals(points);
    return { type: "price", precision, minMove: Number((10 ** -precision).toFixed(precision)) };
  };
  const read = (points) => points.map(([time, value]) => ({ time, value: Number(value) }));

  const say = (place, words) => {
    place.replaceChildren();
    const told = document.createElement("p");
    told.className = "desk-quiet";
    told.textContent = words;
    place.append(told);
    const drawn = charts.get(place);
    if (drawn) drawn.chart.remove();
    charts.delete(place);
  };

  const begin = (place) => {
    place.replaceChildren();
    const chart = createChart(place, { autoSize: true, ...look(), handleScroll: { vertTouchDrag: false } });
    charts.set(place, { chart, series: [], fitted: false });
    return charts.get(place);
  };

  const drawLines = (drawn, data) => {
    data.lines.forEach((line, number) => {
      const colour = COLOURS[number % COLOURS.length];
      if (!drawn.series[number]) {
        drawn.series[number] = data.lines.length === 1
          ? drawn.chart.addSeries(AreaSeries, { lineColor: colour, topColor: `${colour}55`, bottomColor: `${colour}08`, lineWidth: 2 })
          : drawn.chart.addSeries(LineSeries, { color: colour, lineWidth: 2 });
      }
      const points = read(line.points);
      drawn.series[number].applyOptions({ title: line.title, priceFormat: format(points) });
      drawn.series[number].setData(points);
    });
  };

  const drawMarket = (drawn, data) => {
    if (!drawn.series[0]) {
      drawn.series[0] = drawn.chart.addSeries(LineSeries, { color: COLOURS[0], lineWidth: 2, lastValueVisible: true });
      drawn.markers = createSeriesMarkers(drawn.series[0], []);
    }
    const [line] = drawn.series;
    const points = read(data.prices);
    line.applyOptions({ priceFormat: format(points) });
    line.setData(points);
    drawn.markers.setMarkers(data.fills.map((fill) => ({
      time: fill.time,
      position: "atPriceMiddle",
      price: Number(fill.price),
      color: fill.side === "buy" ? BUY : SELL,
      shape: fill.side === "buy" ? "arrowUp" : "arrowDown",
      size: 0.6,
    })));
    (drawn.orders || []).forEach((order) => line.removePriceLine(order));
    drawn.orders = data.orders.map((order) => line.createPriceLine({
      price: Number(order.price),
      color: order.side === "buy" ? BUY : SELL,
      lineWidth: 1,
      lineStyle: 2,
      axisLabelVisible: false,
      title: order.level,
    }));
  };

  const draw = (place, data) => {
    if (data.empty) return say(place, data.empty);
    const drawn = charts.get(place) || begin(place);
    if (data.lines) drawLines(drawn, data);
    else drawMarket(drawn, data);
    if (!drawn.fitted) drawn.chart.timeScale().fitContent();
    drawn.fitted = true;
  };

  const ask = async (place) => {
    try {
      const answer = await fetch(place.dataset.chart, { headers: { Accept: "application/json" } });
      if (answer.ok && answer.status === 200) draw(place, await answer.json());
    } catch {
      // The page itself says when the desk does not answer.
    }
  };

  const all = () => document.querySelectorAll("[data-chart]").forEach(ask);
  new MutationObserver(() => charts.forEach(({ chart }) => chart.applyOptions(look())))
    .observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
  setInterval(() => document.hidden || all(), RENEWED_MS);
  document.addEventListener("visibilitychange", () => document.hidden || all());
  all();
})();
