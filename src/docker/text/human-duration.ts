const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** A duration in the words of `docker ps`: `5 seconds`, `About a minute`, `3 weeks`. */
export function humanDuration(seconds: number): string {
  const hours = Math.round(seconds / hour);
  if (seconds < 1) return 'Less than a second';
  if (seconds < 2) return '1 second';
  if (seconds < minute) return `${whole(seconds)} seconds`;
  if (seconds < 2 * minute) return 'About a minute';
  if (seconds < hour) return `${whole(seconds / minute)} minutes`;
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${String(hours)} hours`;
  if (seconds < 14 * day) return `${whole(seconds / day)} days`;
  if (seconds < 60 * day) return `${whole(seconds / day / 7)} weeks`;
  if (seconds < 730 * day) return `${whole(seconds / day / 30)} months`;
  return `${whole(seconds / day / 365)} years`;
}

function whole(value: number): string {
  return String(Math.floor(value));
}
