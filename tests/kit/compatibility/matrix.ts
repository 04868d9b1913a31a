import type { Proof } from './find-proofs.ts';
import type { Subject } from './surface.ts';

export interface Row {
  readonly subject: Subject;
  readonly proof: Proof;
}

export interface Matrix {
  readonly rows: readonly Row[];
  /** Sentences on what makes the matrix untrue; empty when it is true. */
  readonly problems: readonly string[];
}

/** Joins what there is in Docker with what tests show. A proof for `docker node *` stands for all commands and flags below. */
export function matrixOf(surface: readonly Subject[], proofs: readonly Proof[]): Matrix {
  const found = surface.map((subject) => ({
    subject,
    proof: bestOf(proofs.filter((proof) => covers(proof, subject))),
  }));
  const rows = found.flatMap(({ subject, proof }) => (proof === undefined ? [] : [{ subject, proof }]));
  const unproved = found.filter(({ proof }) => proof === undefined);
  const problems = [
    ...unproved.map(({ subject }) => `no test shows what becomes of ${subject.name}`),
    ...unknownSubjects(surface, proofs),
    ...contradictions(surface, proofs),
  ];
  return { rows, problems };
}

function covers(proof: Proof, { name }: Subject): boolean {
  if (!proof.subject.endsWith(' *')) return proof.subject === name;
  const start = proof.subject.slice(0, -2);
  return name === start || name.startsWith(`${start} `);
}

/** The most exact one: its own row before one for all of a command. */
function bestOf(proofs: readonly Proof[]): Proof | undefined {
  return proofs.find(({ subject }) => !subject.endsWith(' *')) ?? proofs[0];
}

function unknownSubjects(surface: readonly Subject[], proofs: readonly Proof[]): readonly string[] {
  return proofs
    .filter((proof) => !surface.some((subject) => covers(proof, subject)))
    .map(({ file, subject }) => `${file} proves "${subject}", which is neither an endpoint nor a flag of the client`);
}

/** Two tests that say different things of one row, and tests that do not say what they prove. */
function contradictions(surface: readonly Subject[], proofs: readonly Proof[]): readonly string[] {
  return surface.flatMap((subject) => {
    const own = proofs.filter((proof) => proof.subject === subject.name);
    const states = new Set(own.map(({ state }) => state));
    const conflict =
      states.size < 2
        ? []
        : [`${subject.name} is ${[...states].join(' and ')} in ${own.map(({ file }) => file).join(', ')}`];
    return [...conflict, ...own.flatMap((proof) => unsaid(subject, proof))];
  });
}

function unsaid(
  { name, spellings }: Subject,
  { file, test, text, subject, sentence, state }: Proof,
): readonly string[] {
  // A table of endpoints makes its requests from the names of its rows.
  const isRequest = test === subject && !name.startsWith('docker');
  const says = isRequest || spellings.length === 0 || spellings.some((spelling) => text.includes(spelling));
  return [
    ...(says ? [] : [`${file}: "${test}" proves ${name} and never says ${spellings.join(' or ')}`]),
    ...(state === 'works' || sentence !== ''
      ? []
      : [`${file}: "${test}" does not say in which words ${name} is ${state}`]),
  ];
}
