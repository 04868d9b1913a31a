import type { LogTarget } from '../log-config.ts';
import { openFluentdSink } from './fluentd-sink.ts';
import { openGelfSink } from './gelf-sink.ts';
import { openJournaldSink } from './journald-sink.ts';
import type { Sink, SinkOptions } from './sink.ts';
import { openSyslogSink } from './syslog-sink.ts';

/** Connects to where a container's lines go. Throws when the receiver cannot be reached. */
export async function openSink(target: LogTarget, options: SinkOptions, signal: AbortSignal): Promise<Sink> {
  switch (target.driver) {
    case 'syslog':
      return openSyslogSink(target, options, signal);
    case 'journald':
      return openJournaldSink(options);
    case 'fluentd':
      return openFluentdSink(target, options, signal);
    default:
      return openGelfSink(target, options, signal);
  }
}
