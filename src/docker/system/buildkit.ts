import { StatusError } from '#base/errors.ts';

/** Thrown where a client speaks BuildKit's protocol as Docker's clients did before they had buildx (18.09 to 22). */
export function buildKitRefusal(): StatusError {
  return new StatusError(
    'NotSupported',
    'Cannot build by version=2: BuildKit is spoken to by /grpc, as buildx does; install buildx and use docker buildx build, ' +
      'or set DOCKER_BUILDKIT=0 to use the classic endpoint, which understands the same Dockerfiles',
  );
}
