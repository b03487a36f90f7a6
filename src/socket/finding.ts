/** What is found out about one feature, for capabilities(). */
export interface Finding {
  readonly given: boolean;
  /** Why not, or what is special about it. */
  readonly note?: string;
}

export const YES: Finding = { given: true };

export function no(note: string): Finding {
  return { given: false, note };
}
