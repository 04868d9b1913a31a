import { auditDecision, type AuditPolicy, type AuditStage } from './audit-policy.ts';
import { auditEvent, type AuditedAnswer, type AuditedRequest } from './audit-event.ts';
import type { AuditSink } from './audit-file.ts';

/** One request on its way through the server. */
export interface AuditTrail {
  /** Whether bodies are wanted at the end; they cost memory. */
  readonly wantsRequest: boolean;
  readonly wantsResponse: boolean;
  annotate(key: string, value: string): void;
  /** A stream has begun. */
  started(code: number): void;
  /** The answer was sent. */
  completed(answer: AuditedAnswer): void;
}

/** Notes requests as a policy says. */
export interface AuditLog {
  /** Undefined: nothing is noted of this request. */
  begin(request: AuditedRequest): AuditTrail | undefined;
  /** A request of somebody who could not say who he is, with what he was told; upstream notes one stage of it. */
  unauthenticated(request: AuditedRequest, answer: AuditedAnswer): void;
}

const annotationsMost = 64;

export function auditLog(policy: AuditPolicy, sink: AuditSink, nowMs: () => number): AuditLog {
  return {
    unauthenticated: (request, answer) => {
      const decision = auditDecision(policy, request.attributes);
      if (decision.level !== 'None' && !decision.omitStages.includes('ResponseStarted'))
        sink.add(auditEvent('ResponseStarted', decision, request, answer, {}, nowMs()));
    },
    begin: (request) => {
      const decision = auditDecision(policy, request.attributes);
      if (decision.level === 'None') return undefined;
      const annotations: Record<string, string> = {};
      const note = (stage: AuditStage, answer: AuditedAnswer | undefined): void => {
        if (decision.omitStages.includes(stage)) return;
        sink.add(auditEvent(stage, decision, request, answer, { ...annotations }, nowMs()));
      };
      note('RequestReceived', undefined);
      return {
        wantsRequest: decision.level === 'Request' || decision.level === 'RequestResponse',
        wantsResponse: decision.level === 'RequestResponse',
        annotate: (key, value) => {
          // The first one stays: later links of a chain must not rewrite what earlier ones said.
          if (Object.keys(annotations).length < annotationsMost) annotations[key] ??= value;
        },
        started: (code) => note('ResponseStarted', { code }),
        completed: (answer) => note('ResponseComplete', answer),
      };
    },
  };
}
