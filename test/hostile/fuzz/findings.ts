/** A misbehavior of the service. */
export interface Finding {
  what: string;
  /** Number of occurrences. */
  count: number;
  /** Indices of the cases in progress at the first occurrence; only one if the cause is known. */
  candidates: number[];
}

/** The findings, without duplicates. */
export interface Findings {
  add(what: string, candidates: number[]): void;
  all(): Finding[];
}

/** Returns the text of a finding without numbers and ids, which differ each time. */
export function keyOf(what: string): string {
  return what.replaceAll(/[\da-f-]{8,}|\d+/g, "#");
}

const isFatal = ({ what }: Finding): boolean => /logged fatal|Assertion failed/.test(what);

export function createFindings(): Findings {
  const findings = new Map<string, Finding>();
  return {
    add: (what, candidates) => {
      const key = keyOf(what);
      const finding = findings.get(key) ?? { what, count: 0, candidates };
      findings.set(key, { ...finding, count: finding.count + 1 });
    },
    // Findings that end a service come first, because the others mostly follow from them.
    all: () => [...findings.values()].toSorted((a, b) => Number(isFatal(b)) - Number(isFatal(a))),
  };
}
