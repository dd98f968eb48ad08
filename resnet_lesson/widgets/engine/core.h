// What the engines of the page have in common: products, activations, batch normalisation, sums
// and random draws. Compiled with REAL=float for the page, and with REAL=double for the tests.

#include <math.h>
#include <stdint.h>
#include <string.h>

#ifndef REAL
#define REAL float
#endif

typedef REAL real;
enum { LANES = 16 / sizeof(real), TILE = 4 };
typedef real lanes __attribute__((ext_vector_type(16 / sizeof(real)), aligned(4)));

#define EXPORT(name) __attribute__((export_name(#name), used)) name

// TensorFlow computes with zero where a number of 32 bits is below the normal ones (10^-38). So does
// the page: what is left of the digits there says nothing, and a processor is slow with it.
#define SMALLEST ((real)(sizeof(real) == 4 ? 0x1p-126 : 0))

static inline real flushed(real x) { return x < SMALLEST && x > -SMALLEST ? 0 : x; }

static inline lanes all_flushed(lanes x, real smallest) {
  const lanes zero = {0};
  return (x < zero + smallest & x > zero - smallest) ? zero : x;
}

// ------------------------------------------------------------------------------------ products

// Faint numbers, whose products may fall below the normal ones, are multiplied as if they were
// larger by this factor, and the sum becomes zero wherever it would.
#define LARGER ((real)0x1p64)
#define FAINT 1e-30

// c (rows, columns) = a (rows, inner) b (inner, columns). Rows are a multiple of 4, columns of 8.
// Element (i, k) of a stands at a[i * down + k * along], so that a transposed one needs no copy.
// A tile of c stays in registers while the sum runs: 4 rows by 2 vectors.
static inline __attribute__((always_inline)) void tiles(const real *a, int down, int along,
                                                        const real *b, real *c, int rows,
                                                        int inner, int columns, int faint) {
#pragma clang fp contract(fast)  // where the target can round a product and its addition once
  for (int j = 0; j < columns; j += 2 * LANES)
    for (int i = 0; i < rows; i += TILE) {
      lanes left[TILE] = {0}, right[TILE] = {0};
      for (int k = 0; k < inner; k++) {
        const lanes *at = (const lanes *)(b + k * columns + j);
        const lanes b0 = at[0], b1 = at[1];
#pragma clang loop unroll(full)
        for (int row = 0; row < TILE; row++) {
          const real factor = a[(i + row) * down + k * along] * (faint ? LARGER : 1);
          left[row] += factor * b0;
          right[row] += factor * b1;
          if (faint) {
            left[row] = all_flushed(left[row], SMALLEST * LARGER);
            right[row] = all_flushed(right[row], SMALLEST * LARGER);
          }
        }
      }
#pragma clang loop unroll(full)
      for (int row = 0; row < TILE; row++) {
        lanes *to = (lanes *)(c + (i + row) * columns + j);
        to[0] = all_flushed(left[row], faint ? SMALLEST * LARGER : SMALLEST) / (faint ? LARGER : 1);
        to[1] = all_flushed(right[row], faint ? SMALLEST * LARGER : SMALLEST) / (faint ? LARGER : 1);
      }
    }
}

static inline void multiply(const real *a, int down, int along, const real *b, real *c, int rows,
                            int inner, int columns, int faint) {
  if (faint && sizeof(real) == 4)
    tiles(a, down, along, b, c, rows, inner, columns, 1);
  else
    tiles(a, down, along, b, c, rows, inner, columns, 0);
}

static inline void transpose(const real *a, real *to, int rows, int columns) {
  for (int i = 0; i < rows; i += TILE)  // so many at once go into one vector
    for (int j = 0; j < columns; j++)
      for (int k = 0; k < TILE; k++) to[j * rows + i + k] = a[(i + k) * columns + j];
}

// The sum of squares, whose range is that of 64 bits: no norm of 32-bit numbers leaves it.
static inline double squares(const real *x, int count) {
  double sums[8] = {0}, all = 0;  // so many that none waits for its last addition
  for (int i = 0; i < count; i += 8)
    for (int lane = 0; lane < 8; lane++) sums[lane] += (double)x[i + lane] * (double)x[i + lane];
  for (int lane = 0; lane < 8; lane++) all += sums[lane];
  return all;
}

// --------------------------------------------------------------------------------- activations

enum { SIGMOID, TANH, RELU, GELU, LINEAR };

// In 32 bits, functions without a branch, which the compiler turns into vectors: Cephes' exp, and
// the rational approximations of tanh and erf that Eigen and XLA use.
static inline real clamped(real x, real most) { return x < -most ? -most : x > most ? most : x; }

// Near zero, where a square would fall below the normal numbers, the functions here are straight.
static inline real square(real x) {
  const real size = __builtin_fabs(x) < 1e-9 ? (real)1e-9 : x;
  return size * size;
}

// The highest power's coefficient stands first.
static inline float polynomial(const float *coefficients, int count, float x) {
  float sum = coefficients[0];
#pragma clang loop unroll(full)
  for (int k = 1; k < count; k++) sum = sum * x + coefficients[k];
  return sum;
}

static inline real exponential(real x) {
  static const float p[] = {1.9875691500e-4f, 1.3981999507e-3f, 8.3334519073e-3f,
                            4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f};
  if (sizeof(real) == 8) return exp(x);
  x = clamped(x, 88);  // and below -87.7 it is zero
  union { float number; int32_t bits; } shifted = {x * 1.44269504f + 12582912.0f}, power;
  const float n = shifted.number - 12582912.0f;
  const float r = x - n * 0.693359375f + n * 2.12194440e-4f;
  power.bits = (shifted.bits - 0x4B400000 + 127) << 23;
  return (polynomial(p, 6, r) * r * r + r + 1) * power.number;
}

static inline real hyperbolic_tangent(real x) {
  static const float p[] = {-2.76076847742355e-16f, 2.00018790482477e-13f, -8.60467152213735e-11f,
                            5.12229709037114e-08f,  1.48572235717979e-05f, 6.37261928875436e-04f,
                            4.89352455891786e-03f};
  static const float q[] = {1.19825839466702e-06f, 1.18534705686654e-04f, 2.26843463243900e-03f,
                            4.89352518554385e-03f};
  if (sizeof(real) == 8) return tanh(x);
  x = clamped(x, 7.90531110763549805f);
  const float s = square(x);
  return x * polynomial(p, 7, s) / polynomial(q, 4, s);
}

static inline real error_function(real x) {
  static const float p[] = {-2.72614225801306e-10f, 2.77068142495902e-08f, -2.10102402082508e-06f,
                            -5.69250639462346e-05f, -7.34990630326855e-04f, -2.95459980854025e-03f,
                            -1.60960333262415e-02f};
  static const float q[] = {-1.45660718464996e-05f, -2.13374055278905e-04f, -1.68282697438203e-03f,
                            -7.37332916720468e-03f, -1.42647390514189e-02f};
  if (sizeof(real) == 8) return erf(x);
  x = clamped(x, 4);
  const float s = square(x);
  return x * polynomial(p, 7, s) / polynomial(q, 5, s);
}

static inline real normal_share(real x) {
  return (real)0.5 * (1 + error_function(x * (real)0.70710678118654752));
}

static inline void activate(int activation, const real *x, real *out, int count) {
  switch (activation) {
    case SIGMOID:
      for (int i = 0; i < count; i++) out[i] = 1 / (1 + exponential(-x[i]));
      return;
    case TANH:
      for (int i = 0; i < count; i++) out[i] = hyperbolic_tangent(x[i]);
      return;
    case RELU:
      for (int i = 0; i < count; i++) out[i] = x[i] < 0 ? 0 : x[i];
      return;
    case GELU:
      for (int i = 0; i < count; i++) out[i] = flushed(x[i] * normal_share(x[i]));
      return;
    default:
      memcpy(out, x, count * sizeof(real));
  }
}

// The gradient g at the activation's output becomes that at its input, in place.
static inline void activate_back(int activation, const real *x, const real *out, real *g,
                                 int count) {
  switch (activation) {
    case SIGMOID:
      for (int i = 0; i < count; i++) g[i] = flushed(g[i] * (out[i] * (1 - out[i])));
      return;
    case TANH:
      for (int i = 0; i < count; i++) g[i] = flushed(g[i] * (1 - out[i] * out[i]));
      return;
    case RELU:
      for (int i = 0; i < count; i++) g[i] = out[i] > 0 ? g[i] : 0;
      return;
    case GELU:
      for (int i = 0; i < count; i++) {
        const real density = exponential(square(x[i]) * (real)-0.5) * (real)0.3989422804014327;
        g[i] = flushed(g[i] * (normal_share(x[i]) + x[i] * density));
      }
      return;
  }
}

// ------------------------------------------------------------------------- batch normalisation

#define EPSILON ((real)2e-5)

// out = (x - mean) / sqrt(variance + 2e-5) by column; `factor` keeps what is multiplied by.
static inline void normalize(const real *x, real *out, real *factor, int rows, int columns) {
  real mean[columns], variance[columns];
  for (int j = 0; j < columns; j++) mean[j] = variance[j] = 0;
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < columns; j++) mean[j] += x[i * columns + j];
  for (int j = 0; j < columns; j++) mean[j] /= rows;
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < columns; j++) {
      const real centred = x[i * columns + j] - mean[j];
      out[i * columns + j] = centred;
      variance[j] += centred * centred;
    }
  for (int j = 0; j < columns; j++)
    factor[j] = 1 / (real)__builtin_sqrt(variance[j] / rows + EPSILON);
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < columns; j++) out[i * columns + j] *= factor[j];
}

// The gradient g at the normalised numbers `out` becomes that at what was normalised, in place.
static inline void normalize_back(const real *out, const real *factor, real *g, int rows,
                                  int columns) {
  real mean[columns], along[columns];
  for (int j = 0; j < columns; j++) mean[j] = along[j] = 0;
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < columns; j++) {
      mean[j] += g[i * columns + j];
      along[j] += g[i * columns + j] * out[i * columns + j];
    }
  for (int j = 0; j < columns; j++) {
    mean[j] /= rows;
    along[j] /= rows;
  }
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < columns; j++) {
      const int at = i * columns + j;
      g[at] = factor[j] * (g[at] - mean[j] - out[at] * along[j]);
    }
}

// ---------------------------------------------------------------------------------- the answer

// Logits (rows, columns), of which `classes` are used, become the gradient of the mean softmax
// cross-entropy; returns how many rows are answered right.
static inline int cross_entropy_back(real *logits, const int32_t *labels, int rows, int columns,
                                     int classes) {
  int right = 0;
  for (int i = 0; i < rows; i++) {
    real *row = logits + i * columns, total = 0;
    int best = 0;
    for (int j = 1; j < classes; j++) best = row[j] > row[best] ? j : best;
    const real largest = row[best];
    for (int j = 0; j < classes; j++) total += row[j] = exponential(row[j] - largest);
    for (int j = 0; j < columns; j++) row[j] = j < classes ? row[j] / total / rows : 0;
    row[labels[i]] -= (real)1 / rows;
    right += best == labels[i];
  }
  return right;
}

// --------------------------------------------------------------------------------- random draws

// PCG32 (O'Neill 2014, pcg-random.org): a state and a stream of 64 bits, the same in every browser.
typedef struct { uint64_t state, stream; } Random;

static uint32_t next(Random *random) {
  const uint64_t old = random->state;
  random->state = old * 6364136223846793005u + random->stream;
  const uint32_t shifted = (uint32_t)(((old >> 18) ^ old) >> 27), turn = (uint32_t)(old >> 59);
  return (shifted >> turn) | (shifted << (-turn & 31));
}

static Random seeded(uint32_t seed, uint32_t stream) {
  Random random = {0, (uint64_t)stream << 1 | 1};
  next(&random);
  random.state += seed;
  next(&random);
  return random;
}

// Fewer than 2^32 by a product of 64 bits; the bias is below count / 2^32.
static uint32_t below(Random *random, uint32_t count) {
  return (uint32_t)(((uint64_t)next(random) * count) >> 32);
}

// Standard normal numbers by Marsaglia's polar method, an even count.
static void draw_normal(Random *random, double *to, int count) {
  for (int i = 0; i < count; i += 2) {
    double x, y, s;
    do {
      x = (next(random) + 0.5) * 0x1p-31 - 1;
      y = (next(random) + 0.5) * 0x1p-31 - 1;
      s = x * x + y * y;
    } while (s >= 1);
    const double factor = __builtin_sqrt(-2 * log(s) / s);
    to[i] = x * factor;
    to[i + 1] = y * factor;
  }
}

// A permutation's first `count` of `all` numbers, by Fisher and Yates.
static void choose(Random *random, int32_t *numbers, int count, int all) {
  for (int i = 0; i < all; i++) numbers[i] = i;
  for (int i = 0; i < count; i++) {
    const int other = i + (int)below(random, (uint32_t)(all - i)), kept = numbers[i];
    numbers[i] = numbers[other];
    numbers[other] = kept;
  }
}

// ------------------------------------------------------------------------------------- digits

enum { DIGITS = 1280, PIXELS = 64, CLASSES = 10, PADDED = 16 };

// As digits.gz has them: all pixels, then all labels.
static struct { uint8_t pixels[DIGITS][PIXELS], labels[DIGITS]; } digit;
static double standard[DIGITS][PIXELS];

uint8_t *EXPORT(digits)(void) { return (uint8_t *)&digit; }

// Standardise each pixel over all digits, once they stand at `digits`.
void EXPORT(standardize)(void) {
  for (int j = 0; j < PIXELS; j++) {
    double mean = 0, variance = 0;
    for (int i = 0; i < DIGITS; i++) mean += digit.pixels[i][j];
    mean /= DIGITS;
    for (int i = 0; i < DIGITS; i++) {
      const double off = digit.pixels[i][j] - mean;
      variance += off * off;
    }
    // Pixels count to 16, and the small number keeps those finite that never change.
    const double deviation = __builtin_sqrt(variance / DIGITS) + 16e-6;
    for (int i = 0; i < DIGITS; i++) 
      standard[i][j] = (digit.pixels[i][j] - mean) / deviation;
  }
}
