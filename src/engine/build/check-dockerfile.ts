import { StatusError } from '#base/errors.ts';
import type { Dockerfile } from '#formats/dockerfile/dockerfile.ts';
import { type LintWarning, lintDockerfile } from '#formats/dockerfile/lint/lint-dockerfile.ts';
import { type LintOptions, parseLintOptions } from '#formats/dockerfile/lint/lint-options.ts';
import type { Images } from '../images/images.ts';
import type { BuildEvent, BuildRequest } from './builder.ts';
import { hostPlatform } from './platform.ts';
import { givenArg, platformVariables, proxyNames, splitEnv } from './variables.ts';

/** What the build checks say, as the Dockerfile's `# check=` or the build argument in its place lets them. */
export function checkDockerfile(
  images: Pick<Images, 'find'>,
  dockerfile: Dockerfile,
  request: BuildRequest,
): readonly LintWarning[] {
  const { platform: target = hostPlatform(), target: stage, contexts = {} } = request;
  return lintDockerfile(dockerfile, lintOptions(dockerfile, request), {
    platform: new Map(platformVariables({ target, build: hostPlatform(), stage })),
    predefined: proxyNames,
    baseNames: (name) => {
      const context = contexts[name];
      if (context?.kind === 'folder') return [];
      const image = images.find(context?.name ?? name);
      return image?.config.config?.Env?.map((entry) => splitEnv(entry).name) ?? (image === undefined ? undefined : []);
    },
  });
}

/** Tells the warnings. Throws InvalidArgument when there are some and the Dockerfile says that they are errors. */
export function tellWarnings(
  dockerfile: Dockerfile,
  request: BuildRequest,
  warnings: readonly LintWarning[],
  emit: (event: BuildEvent) => void,
): void {
  for (const lint of warnings) {
    const text = `${lint.rule}: ${lint.text} (line ${String(lint.at.start)})`;
    emit({ kind: 'warning', text, lint });
  }
  if (warnings.length === 0 || !lintOptions(dockerfile, request).failsBuild) return;
  const rules = [...new Set(warnings.map(({ rule }) => rule))].join(', ');
  throw new StatusError('InvalidArgument', `lint violation found for rules: ${rules}`);
}

function lintOptions({ directives }: Dockerfile, { buildArgs }: BuildRequest): LintOptions {
  return parseLintOptions(givenArg(buildArgs, 'BUILDKIT_DOCKERFILE_CHECK') ?? directives['check'] ?? '');
}
