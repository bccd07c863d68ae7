/** The owner tag in the comment of every schema and role we made: the product's UUID (or the subject), and what the thing is. */
export type Tag = { heddle: string; kind: string }

/** Byte for byte what `heddle.tag()` writes. */
export function writeTag({ heddle, kind }: Tag): string {
  return `{"heddle":${JSON.stringify(heddle)},"kind":${JSON.stringify(kind)}}`
}

export function carriesTag(comment: string | null, tag: Tag): boolean {
  return comment === writeTag(tag)
}
