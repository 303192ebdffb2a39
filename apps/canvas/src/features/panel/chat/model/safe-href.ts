const ALLOWED = new Set(["http:", "https:", "mailto:"]);

/**
 * The address if a click on it may leave the page, else the empty text. Allowed are absolute web and
 * mail addresses; everything relative or with another scheme, however it is disguised, is not.
 */
export function safeHref(href: string): string {
  try {
    return ALLOWED.has(new URL(href).protocol) ? href : "";
  } catch {
    return "";
  }
}
