import { StatusError } from '#base/errors.ts';
import { randomBelow } from '#base/ids.ts';

const pattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/** Attempts to make a name up before a number is put behind it. */
const plainAttempts = 10;

const adjectives = `able amber ample apt azure balmy bold brave breezy bright brisk calm candid clear clever cosy crisp
  curious daring deft dapper eager early easy elated fair fearless fleet fluent fond frank free fresh gentle glad golden
  graceful grand hardy hearty honest humble jolly jovial keen kind lively lofty loyal lucid lucky mellow merry mighty
  mild modest neat nimble noble open patient plucky polite proud quick quiet ready robust rosy sage serene sharp silent
  silver simple sleek smart snug solid spry steady still stout sunny sure swift tidy tranquil trim trusty upbeat vivid
  warm wise witty zesty`.split(/\s+/);

/** Ships, their parts, their people and what they meet. */
const nouns = `anchor albatross barge beacon bell binnacle bosun bow brig buoy cabin capstan captain caravel catamaran
  chart clipper coaster cockle compass cooper coral cove crane crew current cutter davit deck derrick dinghy dock dolphin
  dory estuary fathom ferry fjord flag freighter frigate galley gannet gull gunwale hammock harbour haven hawser heron
  hull island islet jetty junk kayak keel ketch kite knot lagoon lantern ledger lighthouse locker lugger mast mate mooring
  narwhal navigator oar oyster packet paddle pelican petrel pier pilot pinnace plank plover porpoise port prow puffin
  purser quay raft reef rigger rope rudder sail sailor schooner seal sextant skiff skipper slip sloop sounder spar
  starfish steamer stern strait tender tern tide tiller trawler tugboat turtle vessel voyage wake walrus wave whale wharf
  wherry windlass yawl`.split(/\s+/);

/** Throws InvalidArgument for a name that Docker would not take; returns it without a leading `/`. */
export function checkName(name: string): string {
  const bare = name.startsWith('/') ? name.slice(1) : name;
  if (pattern.test(bare)) return bare;
  throw new StatusError(
    'InvalidArgument',
    `Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
  );
}

/** A name such as `brisk_harbour` that is not taken. */
export function inventName(isTaken: (name: string) => boolean): string {
  for (let attempt = 0; ; attempt += 1) {
    const suffix = attempt < plainAttempts ? '' : String(randomBelow(10 ** Math.min(attempt - plainAttempts + 1, 9)));
    const name = `${pick(adjectives)}_${pick(nouns)}${suffix}`;
    if (!isTaken(name)) return name;
  }
}

function pick(words: readonly string[]): string {
  return words[randomBelow(words.length)] ?? '';
}
