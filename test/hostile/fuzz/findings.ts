/** Something that must not be. */
export interface Finding {
  what: string;
  /** How often it was seen. */
  count: number;
  /** Which cases were on the way when it was first seen; the one where it is known. */
  suspects: number[];
}

/** What was found, each thing once. */
export interface Findings {
  add(what: string, suspects: number[]): void;
  all(): Finding[];
}

/** What is the same in it when it is found again, with other numbers and ids. */
export function keyOf(what: string): string {
  return what.replaceAll(/[\da-f-]{8,}|\d+/g, "#");
}

const isFatal = ({ what }: Finding): boolean => /logged fatal|Assertion failed/.test(what);

export function createFindings(): Findings {
  const findings = new Map<string, Finding>();
  return {
    add: (what, suspects) => {
      const key = keyOf(what);
      const finding = findings.get(key) ?? { what, count: 0, suspects };
      findings.set(key, { ...finding, count: finding.count + 1 });
    },
    // What ends a service first: the rest mostly follows from it.
    all: () => [...findings.values()].toSorted((a, b) => Number(isFatal(b)) - Number(isFatal(a))),
  };
}
