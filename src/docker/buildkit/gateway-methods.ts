import { StatusError } from '#base/errors.ts';

import { type BuildKit, worker } from './control-methods.ts';
import { type GrpcCall, type GrpcMethods, unary } from './grpc/serve-grpc.ts';
import { nothing } from './messages/control-messages.ts';
import * as messages from './messages/gateway-messages.ts';
import type { ActiveBuild } from './solve/active-build.ts';
import { buildDockerfile } from './solve/build-dockerfile.ts';
import { checkDockerfile, checkQuestion } from './solve/check-dockerfile.ts';

const service = '/moby.buildkit.v1.frontend.LLBBridge';

/** What clients may ask of the bridge (buildkit: frontend/gateway/pb/caps.go). */
const capabilities = [
  'solve.base',
  'return',
  'returnmap',
  'proto.refarray',
  'gateway.solve.metadata',
  'gateway.solve.evaluate',
  'gateway.evaluate',
];

/** What clients ask for only when it is said to be there (buildkit: solver/pb/caps.go). */
const builderCapabilities = ['source.local', 'exporter.multiple', 'exporter.image.attestations', 'gc.freespacefilter'];

/** What buildx calls of `moby.buildkit.v1.frontend.LLBBridge`, by which a client takes part in its own build. */
export function gatewayMethods(buildKit: BuildKit): GrpcMethods {
  const buildOf = async (call: GrpcCall, signal: AbortSignal): Promise<ActiveBuild> =>
    await buildKit.builds.get(call.header('buildkit-controlapi-buildid'), signal);
  return {
    [`${service}/Ping`]: unary(nothing, messages.pongResponse, () => ({
      frontendApiCaps: capabilities.map((id) => ({ id, enabled: true })),
      llbCaps: builderCapabilities.map((id) => ({ id, enabled: true })),
      workers: [worker(buildKit)],
    })),
    [`${service}/Solve`]: unary(
      messages.gatewaySolveRequest,
      messages.gatewaySolveResponse,
      async ({ definition, frontend, frontendOpt: attributes, frontendInputs }, call, signal) => {
        if (definition.length > 0 || frontendInputs.size > 0)
          throw new StatusError(
            'NotSupported',
            'Cannot solve a definition: this daemon builds Dockerfiles, and has no solver of LLB',
          );
        const build = await buildOf(call, signal);
        const session = await buildKit.sessions.get(build.request.session, signal);
        const question = attributes.get('requestid');
        if (question !== undefined) {
          checkQuestion(question);
          return { result: { metadata: await checkDockerfile(buildKit, build, session, attributes) } };
        }
        const id = await buildDockerfile(buildKit, build, session, { frontend, attributes });
        return { result: { ref: { id } } };
      },
    ),
    // Results are whole when they are given out.
    [`${service}/Evaluate`]: unary(messages.evaluateRequest, nothing, () => ({})),
    [`${service}/Return`]: unary(messages.returnRequest, nothing, async ({ result, error }, call, signal) => {
      const build = await buildOf(call, signal);
      const [first, ...more] = [...(result?.refs?.refs.values() ?? [])];
      if (more.length > 0) build.decision.resolve({ resultId: '', error: 'several results at once are not supported' });
      build.decision.resolve({ resultId: result?.ref?.id ?? first?.id ?? '', error: error?.message ?? '' });
      return {};
    }),
  };
}
