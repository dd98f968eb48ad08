// The gradient norms of a stack of equal dense layers at initialisation, as `stack_gradients` of
// the package defines them: 64 units, 128 digits, 1 to 200 layers, in one pass forward and back.

#include "core.h"

enum { WIDTH = 64, BATCH = 128, SIZE = BATCH * WIDTH, MOST = 200, STEPS = 4 };
enum { PRODUCT = 1, ADDITION, NORM, ACTIVATION };   // what a layer is made of
enum { HE, GLOROT, SMALL, ORTHOGONAL };             // how weights are drawn
enum { OF_INPUT, OF_WEIGHTS, SIGNAL, QUANTITIES };  // the norms of each layer

static real weight[MOST][WIDTH * WIDTH], input[SIZE], readout_[WIDTH * PADDED];
static int32_t label[BATCH];
static double norm[QUANTITIES][MOST];

// One result for each step of each layer, and two for what stands before the read-out.
static real kept[MOST * STEPS + 2][SIZE], factors[MOST * STEPS + 2][WIDTH];
static const real *from[MOST * STEPS + 2];

// Where the tests put the kernel's draws, and where the answer lies.
real *EXPORT(weights)(void) { return weight[0]; }
real *EXPORT(inputs)(void) { return input; }
real *EXPORT(readout)(void) { return readout_; }
int32_t *EXPORT(labels)(void) { return label; }
double *EXPORT(norms)(void) { return norm[0]; }

// ------------------------------------------------------------------------------------- drawing

static struct { Random random; uint32_t seed; int initializer, layers; } drawn = {.layers = -1};

// Rows of a square matrix become orthonormal, one after the other (Gram and Schmidt). Of normal
// numbers this makes a rotation that is uniform over all of them, since no sign is chosen.
static void orthonormalize(double (*rows)[WIDTH]) {
  for (int i = 0; i < WIDTH; i++) {
    for (int before = 0; before < i; before++) {
      double along = 0;
      for (int j = 0; j < WIDTH; j++) along += rows[i][j] * rows[before][j];
      for (int j = 0; j < WIDTH; j++) rows[i][j] -= along * rows[before][j];
    }
    double length = 0;
    for (int j = 0; j < WIDTH; j++) length += rows[i][j] * rows[i][j];
    for (int j = 0; j < WIDTH; j++) rows[i][j] /= __builtin_sqrt(length);
  }
}

static void draw_inputs(uint32_t seed) {
  static double projection[PIXELS][WIDTH];
  static int32_t chosen[DIGITS];
  Random random = seeded(seed, 1);
  choose(&random, chosen, BATCH, DIGITS);
  draw_normal(&random, projection[0], PIXELS * WIDTH);
  for (int i = 0; i < BATCH; i++) {
    label[i] = digit.labels[chosen[i]];
    for (int j = 0; j < WIDTH; j++) {
      double sum = 0;
      for (int k = 0; k < PIXELS; k++) sum += standard[chosen[i]][k] * projection[k][j];
      input[i * WIDTH + j] = (real)(sum / 8);  // the root of 64 pixels
    }
  }
}

static void draw_readout(uint32_t seed) {
  double numbers[WIDTH * CLASSES];
  Random random = seeded(seed, 3);
  draw_normal(&random, numbers, WIDTH * CLASSES);
  for (int i = 0; i < WIDTH; i++)
    for (int j = 0; j < PADDED; j++)
      readout_[i * PADDED + j] = j < CLASSES ? (real)(numbers[i * CLASSES + j] / 8) : 0;
}

// Draw what a network of so many layers needs, unless it is there: a deeper network only adds
// layers to a shallower one of the same seed.
void EXPORT(draw)(uint32_t seed, int initializer, int depth) {
  static double matrix[WIDTH][WIDTH];
  const int anew = drawn.layers < 0 || seed != drawn.seed;
  if (anew) {
    draw_inputs(seed);
    draw_readout(seed);
  }
  if (anew || initializer != drawn.initializer) {
    drawn.random = seeded(seed, 2);
    drawn.seed = seed;
    drawn.initializer = initializer;
    drawn.layers = 0;
  }
  const double deviations[] = {[HE] = 0.17677669529663689, [GLOROT] = 0.125, [SMALL] = 0.01,
                               [ORTHOGONAL] = 1};
  for (; drawn.layers < depth; drawn.layers++) {
    draw_normal(&drawn.random, matrix[0], WIDTH * WIDTH);
    if (initializer == ORTHOGONAL) orthonormalize(matrix);
    for (int i = 0; i < WIDTH * WIDTH; i++)
      weight[drawn.layers][i] = (real)(deviations[initializer] * matrix[0][i]);
  }
}

// ------------------------------------------------------------------------------ differentiating

static void step(int what, int activation, int at, const real *x, const real *first,
                 const real *matrix, int faint) {
  real *out = kept[at];
  from[at] = x;
  switch (what) {
    case PRODUCT:
      multiply(x, WIDTH, 1, matrix, out, BATCH, WIDTH, WIDTH, faint);
      return;
    case ADDITION:
      for (int i = 0; i < SIZE; i++) out[i] = x[i] + first[i];
      return;
    case NORM:
      normalize(x, out, factors[at], BATCH, WIDTH);
      return;
    default:
      activate(activation, x, out, SIZE);
  }
}

static void step_back(int what, int activation, int at, real *g) {
  if (what == NORM) normalize_back(kept[at], factors[at], g, BATCH, WIDTH);
  if (what == ACTIVATION) activate_back(activation, from[at], kept[at], g, SIZE);
}

// The gradient g of the last layer's output, and what each of the last steps needs to go back.
static void answer(int count, const int *steps, int activation, int at, const real *h, real *g) {
  static real logits[BATCH * PADDED], across[WIDTH * PADDED];
  for (int k = 0; k < count; k++, h = kept[at++]) step(steps[k], activation, at, h, 0, 0, 0);
  multiply(h, WIDTH, 1, readout_, logits, BATCH, WIDTH, PADDED, 0);
  cross_entropy_back(logits, label, BATCH, PADDED, CLASSES);
  transpose(readout_, across, WIDTH, PADDED);
  multiply(logits, PADDED, 1, across, g, BATCH, PADDED, WIDTH, 0);
  for (int k = count; k--;) step_back(steps[k], activation, --at, g);
}

static int unpacked(int packed, int *steps) {
  int count = 0;
  for (; packed; packed >>= 4) steps[count++] = packed & 15;
  return count;
}

// Differentiate. `packed` holds the steps of a layer, four bits each, the first one lowest, and
// `ending` those before the read-out. With `shortcut_only` no branch hands the gradient on. What
// takes longer than the norms that are `wanted` is left out.
void EXPORT(differentiate)(int depth, int activation, int packed, int ending, int shortcut_only,
                           int wanted) {
  static real g[SIZE], after[SIZE], skip[SIZE], across[WIDTH * WIDTH], by_weight[WIDTH * WIDTH];
  int steps[STEPS], last[2];
  const int count = unpacked(packed, steps), at_the_end = unpacked(ending, last);
  const real *h = input;
  int at = 0;
  for (int layer = 0; layer < depth; layer++) {
    const real *first = h;
    norm[SIGNAL][layer] = __builtin_sqrt(squares(h, SIZE) / SIZE);
    for (int k = 0; k < count; k++, h = kept[at++])
      step(steps[k], activation, at, h, first, weight[layer], norm[SIGNAL][layer] < FAINT);
  }
  if (wanted == SIGNAL) return;
  answer(at_the_end, last, activation, at, h, g);
  double size = __builtin_sqrt(squares(g, SIZE));
  for (int layer = depth; layer--;) {
    int added = 0;
    for (int k = count; k--;) {
      at--;
      if (steps[k] == ADDITION) {
        memcpy(skip, g, sizeof g);
        added = 1;
      } else if (steps[k] == PRODUCT) {
        if (wanted == OF_WEIGHTS) {
          multiply(from[at], 1, WIDTH, g, by_weight, WIDTH, BATCH, WIDTH,
                   size * norm[SIGNAL][layer] < FAINT);
          norm[OF_WEIGHTS][layer] = __builtin_sqrt(squares(by_weight, WIDTH * WIDTH));
        }
        transpose(weight[layer], across, WIDTH, WIDTH);
        memcpy(after, g, sizeof g);
        multiply(after, WIDTH, 1, across, g, BATCH, WIDTH, WIDTH, size < FAINT);
      } else {
        step_back(steps[k], activation, at, g);
      }
    }
    if (added)
      for (int i = 0; i < SIZE; i++) g[i] = shortcut_only ? skip[i] : g[i] + skip[i];
    norm[OF_INPUT][layer] = size = __builtin_sqrt(squares(g, SIZE));
  }
}
