import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { BuildEvent } from '#engine/build/builder.ts';
import type { LintWarning } from '#formats/dockerfile/lint/lint-dockerfile.ts';
import type { Platform } from '#formats/oci.ts';
import { platformProgress } from './platform-progress.ts';

const amd64: Platform = { os: 'linux', architecture: 'amd64' };
const arm64: Platform = { os: 'linux', architecture: 'arm64' };

function told(platforms: readonly Platform[], events: readonly BuildEvent[]): readonly string[] {
  const lines: string[] = [];
  const onEvent = platformProgress(platforms, (name) => ({
    onEvent: ({ kind }) => void lines.push(`${name}: ${kind}`),
  }));
  for (const event of events) onEvent(event);
  return lines;
}

test('each platform hears of itself, and what is said of the Dockerfile is said once', () => {
  const warning = { kind: 'warning', text: 'x', lint: {} as LintWarning } as const;
  const events: BuildEvent[] = [
    { kind: 'cached', platform: arm64 },
    { ...warning, platform: amd64 },
    { ...warning, platform: arm64 },
    { kind: 'warning', text: 'about this one', platform: arm64 },
    { kind: 'cached' },
  ];
  assert.deepEqual(told([amd64, arm64], events), [
    'linux/arm64: cached',
    'linux/amd64: warning',
    'linux/arm64: warning',
    'linux/amd64: cached',
  ]);
  assert.deepEqual(told([], [{ kind: 'cached' }]), [': cached']);
});
