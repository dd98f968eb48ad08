// Training in the page: a dense network on the digits, plain or residual, in full pre-activation
// with one matrix a layer and batch normalisation with scale and shift, by SGD with momentum.

#include "core.h"

enum { WIDTH = 32, BATCH = 64, SIZE = BATCH * WIDTH, MOST = 60, BATCHES = DIGITS / BATCH };
#define MOMENTUM ((real)0.9)

typedef struct {
  real stem[PIXELS * WIDTH], weight[MOST][WIDTH * WIDTH];
  real scale[MOST + 1][WIDTH], shift[MOST + 1][WIDTH];  // the last ones before the answer
  real head[WIDTH * PADDED], bias[PADDED];
} Parameters;

static Parameters now, slope, velocity;
static int depth, shortcut, at_batch;
static Random shuffling;
static int32_t order[DIGITS], label[BATCH];
static real batch[BATCH * PIXELS], g[SIZE], by_logits[BATCH * PADDED];
static real normal[MOST + 1][SIZE], active[MOST + 1][SIZE], factor[MOST + 1][WIDTH];
static double norm[MOST];

// What the tests read and write, and the norm of the gradient of each layer's weights.
real *EXPORT(parameters)(void) { return (real *)&now; }
int32_t *EXPORT(chosen)(void) { return order; }
double *EXPORT(norms)(void) { return norm; }

static void draw(Random *random, real *to, int rows, int columns, int used, double deviation) {
  double numbers[PIXELS * WIDTH];
  draw_normal(random, numbers, rows * used);
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < columns; j++)
      to[i * columns + j] = j < used ? (real)(deviation * numbers[i * used + j]) : 0;
}

// A new network, with He's weights. Its twin of the other kind has the same draws.
void EXPORT(begin)(uint32_t seed, int layers, int residual) {
  Random random = seeded(seed, 4);
  memset(&now, 0, sizeof now);
  memset(&slope, 0, sizeof slope);
  memset(&velocity, 0, sizeof velocity);
  depth = layers;
  shortcut = residual;
  draw(&random, now.stem, PIXELS, WIDTH, WIDTH, 0.125);                    // 1 / 64
  draw(&random, now.head, WIDTH, PADDED, CLASSES, 0.17677669529663689);    // 1 / 32
  for (int layer = 0; layer < depth; layer++)
    draw(&random, now.weight[layer], WIDTH, WIDTH, WIDTH, 0.25);           // 2 / 32
  for (int layer = 0; layer <= depth; layer++)
    for (int j = 0; j < WIDTH; j++) now.scale[layer][j] = 1;
  shuffling = seeded(seed, 5);
  at_batch = BATCHES;
}

static void next_batch(void) {
  if (at_batch == BATCHES) {
    choose(&shuffling, order, DIGITS, DIGITS);
    at_batch = 0;
  }
  for (int i = 0; i < BATCH; i++) {
    const int which = order[at_batch * BATCH + i];
    label[i] = digit.labels[which];
    for (int j = 0; j < PIXELS; j++) batch[i * PIXELS + j] = (real)standard[which][j];
  }
  at_batch++;
}

// What the product of this layer sees of h: normalised, scaled, shifted, and cut off at zero.
static void prepare(int layer, const real *h) {
  normalize(h, normal[layer], factor[layer], BATCH, WIDTH);
  for (int i = 0; i < BATCH; i++)
    for (int j = 0; j < WIDTH; j++) {
      const int at = i * WIDTH + j;
      const real shifted = now.scale[layer][j] * normal[layer][at] + now.shift[layer][j];
      active[layer][at] = shifted < 0 ? 0 : shifted;
    }
}

// The gradient at what the product sees becomes that at h, in place.
static void prepare_back(int layer, real *by_active) {
  for (int j = 0; j < WIDTH; j++) slope.scale[layer][j] = slope.shift[layer][j] = 0;
  for (int i = 0; i < BATCH; i++)
    for (int j = 0; j < WIDTH; j++) {
      const int at = i * WIDTH + j;
      const real open = active[layer][at] > 0 ? by_active[at] : 0;
      slope.scale[layer][j] += open * normal[layer][at];
      slope.shift[layer][j] += open;
      by_active[at] = open * now.scale[layer][j];
    }
  normalize_back(normal[layer], factor[layer], by_active, BATCH, WIDTH);
}

static int forward(void) {
  static real h[SIZE], product[SIZE];
  multiply(batch, PIXELS, 1, now.stem, h, BATCH, PIXELS, WIDTH, 0);
  for (int layer = 0; layer < depth; layer++) {
    prepare(layer, h);
    multiply(active[layer], WIDTH, 1, now.weight[layer], product, BATCH, WIDTH, WIDTH, 0);
    for (int i = 0; i < SIZE; i++) h[i] = shortcut ? h[i] + product[i] : product[i];
  }
  prepare(depth, h);
  multiply(active[depth], WIDTH, 1, now.head, by_logits, BATCH, WIDTH, PADDED, 0);
  for (int i = 0; i < BATCH; i++)
    for (int j = 0; j < CLASSES; j++) by_logits[i * PADDED + j] += now.bias[j];
  return cross_entropy_back(by_logits, label, BATCH, PADDED, CLASSES);
}

static void backward(void) {
  static real across[WIDTH * PIXELS], by_active[SIZE];
  multiply(active[depth], 1, WIDTH, by_logits, slope.head, WIDTH, BATCH, PADDED, 0);
  for (int j = 0; j < PADDED; j++) slope.bias[j] = 0;
  for (int i = 0; i < BATCH; i++)
    for (int j = 0; j < CLASSES; j++) slope.bias[j] += by_logits[i * PADDED + j];
  transpose(now.head, across, WIDTH, PADDED);
  multiply(by_logits, PADDED, 1, across, g, BATCH, PADDED, WIDTH, 0);
  prepare_back(depth, g);
  for (int layer = depth; layer--;) {
    multiply(active[layer], 1, WIDTH, g, slope.weight[layer], WIDTH, BATCH, WIDTH, 0);
    norm[layer] = __builtin_sqrt(squares(slope.weight[layer], WIDTH * WIDTH));
    transpose(now.weight[layer], across, WIDTH, WIDTH);
    multiply(g, WIDTH, 1, across, by_active, BATCH, WIDTH, WIDTH, 0);
    prepare_back(layer, by_active);
    for (int i = 0; i < SIZE; i++) g[i] = shortcut ? g[i] + by_active[i] : by_active[i];
  }
  multiply(batch, 1, PIXELS, g, slope.stem, PIXELS, BATCH, WIDTH, 0);
}

// One step of SGD at this rate; returns how many of the batch of 64 were answered right before it.
int EXPORT(step)(double rate) {
  next_batch();
  const int right = forward();
  backward();
  real *to = (real *)&now, *speed = (real *)&velocity;
  const real *by = (const real *)&slope, by_rate = (real)rate;
  for (unsigned i = 0; i < sizeof now / sizeof(real); i++) {
    speed[i] = MOMENTUM * speed[i] - by_rate * by[i];
    to[i] += speed[i];
  }
  return right;
}
