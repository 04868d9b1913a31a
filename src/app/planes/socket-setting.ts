import { isObject } from '#base/json.ts';
import { type Allowance, allowances } from '#docker/policy/role.ts';

import type { SettingType } from '../setting.ts';

/** One entry of `docker.sockets`. */
export interface SocketSetting {
  readonly path: string;
  readonly role: 'admin' | 'read-only' | 'project';
  /** '' but for the role `project`. */
  readonly project: string;
  readonly allow: readonly Allowance[];
  /** Permission bits. */
  readonly mode: number;
  readonly group: string | undefined;
}

const roles = ['admin', 'read-only', 'project'] as const;
const keys: ReadonlySet<string> = new Set(['path', 'role', 'project', 'allow', 'mode', 'group']);
const defaultMode = 0o660;

/** `{ path, role, project, allow, mode, group }` in YAML, `path:role[:project]` in a text. */
export const socketSetting: SettingType<SocketSetting> = {
  name:
    'a socket { path: /run/ci.sock, role: admin, read-only or project, project: its name, ' +
    `allow: some of ${allowances.join(', ')}, mode: "0660", group: its name }`,
  parse: (value) => {
    if (!isObject(value) || Object.keys(value).some((key) => !keys.has(key))) return undefined;
    const { path, project = '', group } = value;
    const role = roles.find((one) => one === value['role']);
    const allow = parseAllow(value['allow'] ?? []);
    const mode = parseMode(value['mode']);
    if (typeof path !== 'string' || !path.startsWith('/') || typeof project !== 'string') return undefined;
    if (role === undefined || allow === undefined || mode === undefined) return undefined;
    if (group !== undefined && (typeof group !== 'string' || group === '')) return undefined;
    const isProject = role === 'project';
    if (isProject !== /^[a-z0-9][a-z0-9_-]*$/.test(project) || (!isProject && (project !== '' || allow.length > 0)))
      return undefined;
    return { path, role, project, allow, mode, group };
  },
  fromText: (text) => {
    const [path, role, project] = text.split(':');
    return { path, role, ...(project !== undefined && { project }) };
  },
};

function parseAllow(value: unknown): readonly Allowance[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const found = value.map((item) => allowances.find((one) => one === item));
  return found.every((item) => item !== undefined) ? found : undefined;
}

/** YAML reads 0660 as a number in base ten, so that only texts mean what they say. */
function parseMode(value: unknown): number | undefined {
  if (value === undefined) return defaultMode;
  return typeof value === 'string' && /^0?[0-7]{3}$/.test(value) ? Number.parseInt(value, 8) : undefined;
}
