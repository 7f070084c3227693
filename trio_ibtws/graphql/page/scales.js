// Where lines and labels of an axis go.

/** Returns round values between *low* and *high*, about *count* of them. */
export function niceTicks(low, high, count) {
  const rough = (high - low) / Math.max(1, count) || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  const ticks = [];
  for (let value = Math.ceil(low / step) * step; value <= high; value += step) ticks.push(value);
  return ticks;
}

/** Splits the date of a bar as IB writes it ("20130107 09:30:00 US/Eastern", "20130107") into its parts. */
export function partsOf(date) {
  const [day = "", time = ""] = String(date).split(/\s+/);
  return {
    year: day.slice(0, 4),
    month: Number(day.slice(4, 6)),
    day: Number(day.slice(6, 8)),
    time: time.slice(0, 5),
  };
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** Returns a bar's date in full, for the legend. */
export function fullDate(date) {
  const { year, month, day, time } = partsOf(date);
  return `${day} ${MONTHS[month - 1] ?? "?"} ${year}${time ? `  ${time}` : ""}`;
}

/** Returns [index, label] for the time axis: where a year, month, day or hour begins, at least *apart* bars between. */
export function timeTicks(dates, apart) {
  const marks = dates.map((date, index) => rank(date, dates[index - 1]));
  const chosen = [];
  for (const level of [4, 3, 2, 1, 0]) {
    marks.forEach(({ weight, label }, index) => {
      if (weight === level && label && chosen.every(([other]) => Math.abs(other - index) >= apart))
        chosen.push([index, label]);
    });
  }
  return chosen;
}

function rank(date, before) {
  if (before === undefined) return { weight: -1, label: "" };
  const now = partsOf(date);
  const then = partsOf(before);
  if (now.year !== then.year) return { weight: 4, label: now.year };
  if (now.month !== then.month) return { weight: 3, label: MONTHS[now.month - 1] };
  if (now.day !== then.day) return { weight: now.time ? 2 : 0, label: `${now.day} ${MONTHS[now.month - 1]}` };
  if (now.time.slice(0, 2) !== then.time.slice(0, 2)) return { weight: 1, label: now.time };
  return { weight: Number(now.time.slice(3)) % 15 === 0 ? 0 : -1, label: now.time };
}
