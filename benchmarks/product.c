// One plain product of matrices, again and again: what the engine's core can do at most.

#include "core.h"

enum { ROWS = 128, SIDE = 64 };

double *EXPORT(norms)(void) { return 0; }

void EXPORT(products)(int count) {
  static real a[ROWS * SIDE], b[SIDE * SIDE], c[ROWS * SIDE];
  for (int i = 0; i < count; i++) multiply(a, SIDE, 1, b, c, ROWS, SIDE, SIDE, 0);
}
