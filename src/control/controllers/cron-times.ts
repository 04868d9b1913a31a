import type { Cron } from '#formats/cron.ts';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
/** A schedule such as 29 February comes within this time, or never. */
const daysMost = 366 * 9;

/** The first minute after a time that a schedule means, in a time zone; undefined when there is none. */
export function nextCronTime(cron: Cron, afterMs: number, timeZone: string): number | undefined {
  const format = wallClock(timeZone);
  let atMs = Math.floor(afterMs / minuteMs) * minuteMs + minuteMs;
  const endMs = afterMs + daysMost * dayMs;
  while (atMs < endMs) {
    const wall = wallTime(format, atMs);
    // To the last hour of the day, then over midnight: clocks change at neither of the two.
    if (!isDay(cron, wall)) atMs += ((wall.hour < 23 ? 23 - wall.hour : 1) * 60 - wall.minute) * minuteMs;
    else if (!cron.hours.has(wall.hour))
      atMs += (wall.minute < 30 ? 30 - (wall.minute % 30) : 60 - wall.minute) * minuteMs;
    else if (cron.minutes.has(wall.minute)) return atMs;
    else atMs += minuteMs;
  }
  return undefined;
}

interface WallTime {
  readonly month: number;
  readonly day: number;
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
}

function isDay({ months, daysOfMonth, daysOfWeek, isEitherDay }: Cron, { month, day, weekday }: WallTime): boolean {
  if (!months.has(month)) return false;
  const isOfMonth = daysOfMonth.has(day);
  const isOfWeek = daysOfWeek.has(weekday);
  return isEitherDay ? isOfMonth || isOfWeek : isOfMonth && isOfWeek;
}

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

function wallClock(timeZone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    month: 'numeric',
    day: 'numeric',
    weekday: 'short',
    hour: 'numeric',
    minute: 'numeric',
  });
}

function wallTime(format: Intl.DateTimeFormat, ms: number): WallTime {
  const parts = new Map(format.formatToParts(ms).map(({ type, value }) => [type, value]));
  const of = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.get(type));
  return {
    month: of('month'),
    day: of('day'),
    weekday: weekdays.indexOf(parts.get('weekday') ?? ''),
    hour: of('hour'),
    minute: of('minute'),
  };
}
