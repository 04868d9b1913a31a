/** An HTTP/2 stream of a client, as far as its headers go. */
export interface HeaderStream<Headers> {
  once(event: 'response' | 'trailers', listener: (headers: Headers) => void): unknown;
}

/** Where the status will be: in the trailers, or in the headers of a reply without messages. Ask at the stream's end. */
export function collectHeaders<Headers extends object>(stream: HeaderStream<Headers>): () => Partial<Headers> {
  let all: Partial<Headers> = {};
  const collect = (headers: Headers): void => {
    all = { ...all, ...headers };
  };
  stream.once('response', collect);
  stream.once('trailers', collect);
  return () => all;
}
