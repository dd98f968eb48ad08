// One plain product of matrices, again and again: what the engine's core can do at most.

#include "core.h"

enum { ROWS = 128, SIDE = 64 };

static real a[ROWS * SIDE], b[SIDE * SIDE], c[ROWS * SIDE];

// Whoever may read the product keeps the compiler from leaving it out, and numbers that change keep
// it from knowing them.
real *EXPORT(product)(void) { return c; }

void EXPORT(products)(int count) {
  for (int i = 0; i < count; i++) {
    a[i % SIDE] += 1;
    b[i % SIDE] += 1;
    multiply(a, SIDE, 1, b, c, ROWS, SIDE, SIDE, 0);
  }
}
