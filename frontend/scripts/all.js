/** Return the elements that match, the piece itself included. */
export function all(piece, selector) {
  const found = [...piece.querySelectorAll(selector)];
  return piece.matches?.(selector) ? [piece, ...found] : found;
}
