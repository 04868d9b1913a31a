import { ApiError } from '#kube/status.ts';

import { textReply, type Reply } from '../http/call.ts';

/** As upstream, which has no route for what it does not serve. */
export function unknownPath(): Reply {
  return textReply('404 page not found\n', 404);
}

export function notAllowed(): ApiError {
  return new ApiError('MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
}
