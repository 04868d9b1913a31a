import { StatusError } from '#base/errors.ts';

/** Thrown where a client speaks BuildKit's protocol. */
export function buildKitRefusal(): StatusError {
  return new StatusError(
    'NotSupported',
    'Cannot build over BuildKit: this daemon does not speak its protocol yet; set DOCKER_BUILDKIT=0 to use the classic ' +
      'endpoint, which understands the same Dockerfiles',
  );
}
