import { closeSync, constants, openSync, writeSync } from 'node:fs';

import { StatusError } from '#base/errors.ts';
import { hasCode } from '#sys/errno.ts';

const maxCells = 65_535;
/** Larger windows conmon ignores (conmon, ctrl.c). */
const mostOfConmon = 1000;
/** conmon's command for a new window size (conmon, ctrl.c). */
const resizeCommand = 1;

/** Tells a conmon, by its control fifo, the size of its terminal in characters. Throws InvalidArgument for impossible ones. */
export function resizeTerminal(control: string, rows: number, columns: number): void {
  if (![rows, columns].every((cells) => Number.isInteger(cells) && cells >= 0 && cells <= maxCells))
    throw new StatusError(
      'InvalidArgument',
      `Cannot resize a terminal to ${String(rows)} x ${String(columns)}: want 0 to 65535`,
    );
  try {
    const fd = openSync(control, constants.O_WRONLY | constants.O_NONBLOCK);
    try {
      writeSync(fd, `${[resizeCommand, Math.min(rows, mostOfConmon), Math.min(columns, mostOfConmon)].join(' ')}\n`);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    // It ended meanwhile, or is just starting: the client says the size again.
    if (!hasCode(error, 'ENOENT', 'ENXIO')) throw error;
  }
}
