import { StatusError } from '#base/errors.ts';
import type { MountRequest } from '#engine/runtime/container.ts';

import { mountTarget } from './binds.ts';

const units: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };
/** Options of tmpfs(5) and mount(8) that are handed on as they are. */
const handedOn =
  /^(?:(?:no)?(?:exec|suid|dev|atime|diratime|relatime)|sync|async|(?:uid|gid|nr_inodes|nr_blocks)=\d+)$/;

/** Reads one `--tmpfs`: a target and options such as `size=64m,mode=1777,noexec`. */
export function parseTmpfs(target: string, options: string): MountRequest {
  const mount: { -readonly [K in keyof MountRequest]: MountRequest[K] } = {
    type: 'tmpfs',
    source: '',
    target: mountTarget(target, target),
    readOnly: false,
  };
  const others: string[] = [];
  for (const option of options.split(',').filter((word) => word !== '' && word !== 'defaults')) {
    const [name, value = ''] = option.split('=', 2);
    if (option === 'ro') mount.readOnly = true;
    else if (option === 'rw') mount.readOnly = false;
    else if (name === 'size') mount.tmpfsSizeBytes = parseSize(value, option);
    else if (name === 'mode' && /^[0-7]{1,5}$/.test(value)) mount.tmpfsMode = Number.parseInt(value, 8);
    else if (handedOn.test(option)) others.push(option);
    else throw invalid(option);
  }
  if (others.length > 0) mount.tmpfsOptions = others;
  return mount;
}

/** HostConfig.Mounts gives tmpfs options as `[["uid","1000"],["noexec"]]`. */
export function checkTmpfsOptions(options: readonly (readonly string[])[]): readonly string[] {
  return options.map((words) => {
    const option = words.join('=');
    if (!handedOn.test(option)) throw invalid(option);
    return option;
  });
}

function parseSize(value: string, option: string): number {
  const match = /^(\d{1,15})([kmg]?)$/i.exec(value);
  const unit = units[match?.[2]?.toLowerCase() ?? ''];
  if (match === null || unit === undefined) throw invalid(option);
  return Number(match[1]) * unit;
}

function invalid(option: string): StatusError {
  return new StatusError('InvalidArgument', `invalid tmpfs option "${option}"; see mount(8) and tmpfs(5)`);
}
