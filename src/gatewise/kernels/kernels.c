/* The inner loops of training, as gatewise.kernels describes them in Python. Compiled once on the machine that runs
   them; every function here has a twin in PyTorch that gives the same numbers.

   Matrices are row-major float. Lookups are ids [batch, columns], column c reading row ids[b, c] + offsets[c] of a
   table; an id below 0 is padding.

   Shapes, types and layouts are checked in calls.py, before a pointer gets here. What only a look at the numbers can
   say is checked here: a row outside a table is neither read nor written, and reported. */

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef _OPENMP
int omp_get_thread_num(void);
#else
static int omp_get_thread_num(void) { return 0; }
#endif

/* rows that are fetched into the cache before they are needed */
#define AHEAD 16
/* numbers below which waking another thread costs more than it saves */
#define SMALL 8192
/* numbers that a thread takes at a time */
#define BLOCK 2048

/* Calls a function with its width as a constant where it is a usual one: the compiler then unrolls its loops. */
#define WITH_WIDTH(width, call) \
  switch (width) { \
    case 4: { enum { WIDTH = 4 }; call; } break; \
    case 8: { enum { WIDTH = 8 }; call; } break; \
    case 16: { enum { WIDTH = 16 }; call; } break; \
    case 32: { enum { WIDTH = 32 }; call; } break; \
    case 64: { enum { WIDTH = 64 }; call; } break; \
    case 128: { enum { WIDTH = 128 }; call; } break; \
    default: { int64_t WIDTH = width; call; } \
  }
#define INLINE static inline __attribute__((always_inline))

/* The row of a table that an id reads, or one that is not below rows where there is no such row. */
INLINE uint64_t row_of(int32_t id, int64_t offset) { return (uint64_t)id + (uint64_t)offset; }

/* Memory for so many things of a size, or NULL where there is none or the product is no size. */
static void *room(int64_t count, int64_t each) {
  int64_t size;
  return __builtin_mul_overflow(count, each, &size) || size < 0 ? NULL : malloc(size);
}

/* Returns the first column that reads no row of the table, or -1; that column gets zeros. */
INLINE int64_t gather_row(const int32_t *row, const int32_t *next, const int64_t *offsets, int64_t columns,
                          const float *table, uint64_t rows, int64_t dim, float *out) {
  int64_t bad = -1;
  for (int64_t c = 0; c < columns; c++)
    if (next[c] >= 0 && row_of(next[c], offsets[c]) < rows)
      __builtin_prefetch(table + row_of(next[c], offsets[c]) * dim);
  for (int64_t c = 0; c < columns; c++, out += dim) {
    int there = row[c] >= 0 && row_of(row[c], offsets[c]) < rows;
    if (there)
      memcpy(out, table + row_of(row[c], offsets[c]) * dim, dim * sizeof(float));
    else
      memset(out, 0, dim * sizeof(float));
    if (!there && row[c] >= 0 && bad < 0) bad = c;
  }
  return bad;
}

/* out[b] = table[ids[b, c] + offsets[c]] for every column c, zeros for padding, and then beside[b]. Returns -1, or
   b * columns + c of a lookup that reads no row of the table. */
int64_t gather(const int32_t *ids, const int64_t *offsets, int64_t batch, int64_t columns, const float *table,
               int64_t rows, int64_t dim, const float *beside, int64_t more, float *out, int threads) {
  int64_t width = columns * dim + more, found = -1;
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int64_t b = 0; b < batch; b++) {
    const int32_t *row = ids + b * columns, *next = b + 1 < batch ? row + columns : row;
    int64_t bad = -1;
    WITH_WIDTH(dim, bad = gather_row(row, next, offsets, columns, table, rows, WIDTH, out + b * width))
    if (bad >= 0) {
#pragma omp atomic write
      found = b * columns + bad;
    }
    memcpy(out + (b + 1) * width - more, beside + b * more, more * sizeof(float));
  }
  return found;
}

/* One entry of a hash table from ids to positions among the distinct ones; position -1: free. */
typedef struct {
  int32_t id, position;
} Slot;

/* Sums the gradients of the columns that share the first one's offset, in the order of the lookups; returns how many
   distinct rows there are. slots: capacity entries, a power of two above the number of lookups. */
INLINE int64_t sum_column(const int32_t *ids, const int64_t *offsets, int64_t first, int64_t batch, int64_t columns,
                          const float *gradients, int64_t stride, int64_t dim, int64_t *rows, float *sums, Slot *slots,
                          int64_t capacity) {
  int64_t count = 0;
  memset(slots, 0xff, capacity * sizeof(Slot));
  for (int64_t c = first; c < columns; c++) {
    if (offsets[c] != offsets[first]) continue;
    for (int64_t b = 0; b < batch; b++) {
      int32_t id = ids[b * columns + c];
      if (id < 0) continue;
      int64_t at = (int64_t)(((uint32_t)id * 0x9E3779B97F4A7C15ull) >> 32) & (capacity - 1);
      while (slots[at].position >= 0 && slots[at].id != id) at = (at + 1) & (capacity - 1);
      const float *gradient = gradients + b * stride + c * dim;
      if (slots[at].position < 0) {
        slots[at].id = id;
        slots[at].position = (int32_t)count;
        rows[count] = id + offsets[c];
        memcpy(sums + count * dim, gradient, dim * sizeof(float));
        count++;
      } else {
        float *sum = sums + slots[at].position * dim;
        for (int64_t d = 0; d < dim; d++) sum[d] += gradient[d];
      }
    }
  }
  return count;
}

/* Where each offset's columns write: at its first column the number of lookups before them, elsewhere -1. Returns the
   most columns that share an offset. */
static int64_t place_columns(const int64_t *offsets, int64_t batch, int64_t columns, int64_t *places) {
  int64_t place = 0, most = 1;
  for (int64_t c = 0; c < columns; c++) {
    int64_t members = 1, earlier = 0;
    while (earlier < c && offsets[earlier] != offsets[c]) earlier++;
    places[c] = earlier < c ? -1 : place;
    if (earlier < c) continue;
    for (int64_t other = c + 1; other < columns; other++) members += offsets[other] == offsets[c];
    place += members * batch;
    if (members > most) most = members;
  }
  return most;
}

/* Sums the gradients of equal rows and returns how many distinct rows there are, -1 without memory.

   Columns of one offset read one field and are one thread's work, so that the sums do not depend on timing. rows and
   sums have room for batch * columns entries. */
int64_t sum_rows(const int32_t *ids, const int64_t *offsets, int64_t batch, int64_t columns, const float *gradients,
                 int64_t stride, int64_t dim, int64_t *rows, float *sums, int threads) {
  int64_t total = 0, capacity = 4;
  int64_t *places = room(2 * columns, sizeof(int64_t)), *counts = places + columns;
  if (!places) return -1;
  int64_t most = place_columns(offsets, batch, columns, places) * batch;
  while (capacity < 2 * most) capacity *= 2;
  Slot *slots = room(threads * capacity, sizeof(Slot));
  if (slots) {
#pragma omp parallel for num_threads(threads) schedule(dynamic)
    for (int64_t c = 0; c < columns; c++)
      if (places[c] >= 0)
        WITH_WIDTH(dim, counts[c] = sum_column(ids, offsets, c, batch, columns, gradients, stride, WIDTH,
                                               rows + places[c], sums + places[c] * dim,
                                               slots + omp_get_thread_num() * capacity, capacity))
    for (int64_t c = 0; c < columns; c++) {
      if (places[c] < 0) continue;
      memmove(rows + total, rows + places[c], counts[c] * sizeof(int64_t));
      memmove(sums + total * dim, sums + places[c] * dim, counts[c] * dim * sizeof(float));
      total += counts[c];
    }
  }
  free(places);
  free(slots);
  return slots ? total : -1;
}

INLINE void adam_row(float *restrict w, float *restrict m, float *restrict v, const float *restrict gradient,
                     int64_t dim, float step_size, float beta1, float beta2, float root_scale, float eps, float shrink,
                     float decay) {
  for (int64_t d = 0; d < dim; d++) {
    float g = gradient[d] + decay * w[d];
    m[d] = beta1 * m[d] + (1 - beta1) * g;
    v[d] = beta2 * v[d] + (1 - beta2) * g * g;
    w[d] = shrink * w[d] - step_size * m[d] / (sqrtf(v[d]) * root_scale + eps);
  }
}

/* Adam on whole tensors of the given sizes. */
void adam(float **weights, float **firsts, float **seconds, float **gradients, const int64_t *sizes, int64_t tensors,
          float step_size, float beta1, float beta2, float root_scale, float eps, float shrink, float decay,
          int threads) {
  for (int64_t t = 0; t < tensors; t++) {
    int64_t blocks = (sizes[t] + BLOCK - 1) / BLOCK;
#pragma omp parallel for num_threads(threads) schedule(static) if (sizes[t] > SMALL)
    for (int64_t block = 0; block < blocks; block++) {
      int64_t at = block * BLOCK, size = block + 1 < blocks ? BLOCK : sizes[t] - at;
      adam_row(weights[t] + at, firsts[t] + at, seconds[t] + at, gradients[t] + at, size, step_size, beta1, beta2,
               root_scale, eps, shrink, decay);
    }
  }
}

/* Adam on count rows of a matrix of total rows, each there once. Returns -1, or the first that is no row of the matrix;
   then nothing is moved. */
int64_t adam_rows(float *weight, float *first, float *second, int64_t total, const int64_t *rows,
                  const float *gradients, int64_t count, int64_t dim, float step_size, float beta1, float beta2,
                  float root_scale, float eps, float shrink, float decay, int threads) {
  for (int64_t i = 0; i < count; i++)
    if ((uint64_t)rows[i] >= (uint64_t)total) return i;
#pragma omp parallel for num_threads(threads) schedule(static) if (count * dim > SMALL)
  for (int64_t i = 0; i < count; i++) {
    if (i + AHEAD < count) {
      int64_t ahead = rows[i + AHEAD] * dim;
      __builtin_prefetch(weight + ahead, 1);
      __builtin_prefetch(first + ahead, 1);
      __builtin_prefetch(second + ahead, 1);
    }
    int64_t at = rows[i] * dim;
    WITH_WIDTH(dim, adam_row(weight + at, first + at, second + at, gradients + i * dim, WIDTH, step_size, beta1, beta2,
                             root_scale, eps, shrink, decay))
  }
  return -1;
}

/* numbers that one instruction works on; unaligned in memory */
#define LANES 8
typedef float Floats __attribute__((vector_size(LANES * sizeof(float))));
typedef float Unaligned __attribute__((vector_size(LANES * sizeof(float)), aligned(sizeof(float)), may_alias));
typedef int32_t Bits __attribute__((vector_size(LANES * sizeof(float))));
INLINE Floats load(const float *at) { return *(const Unaligned *)at; }
INLINE void store(float *at, Floats values) { *(Unaligned *)at = values; }

/* zero where values are below the floor; NaN stays NaN, so that a broken loss is seen */
INLINE Floats rectified(Floats values, float floor) { return (Floats)((Bits)values & ~(Bits)(values < floor)); }

INLINE float rectified_one(float value, float floor) { return value < floor ? 0 : value; }

INLINE void mix_row(const float *restrict gates, const float *restrict experts, int64_t stride, float floor,
                    float *restrict out, int64_t num_experts, int64_t width) {
  int64_t d = 0;
  for (; d + 2 * LANES <= width; d += 2 * LANES) {
    Floats low = {0}, high = {0};
    for (int64_t e = 0; e < num_experts; e++) {
      const float *values = experts + e * stride + d;
      low += gates[e] * rectified(load(values), floor);
      high += gates[e] * rectified(load(values + LANES), floor);
    }
    store(out + d, low);
    store(out + d + LANES, high);
  }
  for (; d < width; d++) {
    float sum = 0;
    for (int64_t e = 0; e < num_experts; e++) sum += gates[e] * rectified_one(experts[e * stride + d], floor);
    out[d] = sum;
  }
}

/* out[b, k] = sum over e of gates[b, k, e] * max(experts[b, e], floor); experts [batch, expert, width] with strides of
   its own; floor is 0 or minus infinity */
void mix(const float *gates, const float *experts, int64_t row_stride, int64_t expert_stride, float floor, float *out,
         int64_t batch, int64_t num_gates, int64_t num_experts, int64_t width, int threads) {
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int64_t b = 0; b < batch; b++)
    for (int64_t at = b * num_gates; at < (b + 1) * num_gates; at++)
      WITH_WIDTH(width, mix_row(gates + at * num_experts, experts + b * row_stride, expert_stride, floor,
                                out + at * WIDTH, num_experts, WIDTH))
}

/* What one expert of one row adds: its gradient, and that of its weight in each gate. */
INLINE void mix_row_backward(const float *restrict gates, const float *restrict expert, float floor,
                             const float *restrict gradient, float *restrict of_gates, float *restrict of_expert,
                             int64_t num_gates, int64_t num_experts, int64_t width) {
  int64_t whole = width / LANES * LANES;
  for (int64_t k = 0; k < num_gates; k++) {
    float weight = gates[k * num_experts], dot = 0;
    const float *given = gradient + k * width;
    Floats dots = {0};
    for (int64_t d = 0; d < whole; d += LANES) {
      Floats values = load(expert + d), wanted = load(given + d);
      Floats part = (Floats)((Bits)(weight * wanted) & ~(Bits)(values <= floor));
      if (k) part += load(of_expert + d);
      store(of_expert + d, part);
      dots += rectified(values, floor) * wanted;
    }
    for (int lane = 0; lane < LANES; lane++) dot += dots[lane];
    for (int64_t d = whole; d < width; d++) {
      float part = expert[d] <= floor ? 0 : weight * given[d];
      of_expert[d] = k ? of_expert[d] + part : part;
      dot += rectified_one(expert[d], floor) * given[d];
    }
    of_gates[k * num_experts] = dot;
  }
}

/* The gradients of gates and experts of mix from that of its output. */
void mix_backward(const float *gates, const float *experts, int64_t row_stride, int64_t expert_stride, float floor,
                  const float *gradient, float *of_gates, float *of_experts, int64_t batch, int64_t num_gates,
                  int64_t num_experts, int64_t width, int threads) {
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int64_t b = 0; b < batch; b++)
    for (int64_t e = 0; e < num_experts; e++) {
      int64_t gate = b * num_gates * num_experts + e, expert = b * row_stride + e * expert_stride;
      WITH_WIDTH(width, mix_row_backward(gates + gate, experts + expert, floor, gradient + b * num_gates * WIDTH,
                                         of_gates + gate, of_experts + expert, num_gates, num_experts, WIDTH))
    }
}

INLINE void linear_row(const float *restrict x, const float *restrict turned, const float *restrict bias, float floor,
                       float *restrict y, int64_t in, int64_t out) {
  int64_t o = 0;
  for (; o + LANES <= out; o += LANES) {
    Floats sum = load(bias + o);
    for (int64_t i = 0; i < in; i++) sum += x[i] * load(turned + i * out + o);
    store(y + o, rectified(sum, floor));
  }
  for (; o < out; o++) {
    float sum = bias[o];
    for (int64_t i = 0; i < in; i++) sum += x[i] * turned[i * out + o];
    y[o] = rectified_one(sum, floor);
  }
}

/* y[b, g] = max(W[g] x[b, g] + bias[g], floor): weight [group, out, in], x with strides of its own; -1 without memory */
int group_linear(const float *x, int64_t row_stride, int64_t group_stride, const float *weight, const float *bias,
                 float floor, float *y, int64_t batch, int64_t groups, int64_t out, int64_t in, int threads) {
  float *turned = room(groups * in * out, sizeof(float));
  if (!turned) return -1;
  for (int64_t g = 0; g < groups; g++)
    for (int64_t o = 0; o < out; o++)
      for (int64_t i = 0; i < in; i++) turned[(g * in + i) * out + o] = weight[(g * out + o) * in + i];
#pragma omp parallel for num_threads(threads) schedule(static) if (batch * groups * in * out > 8 * SMALL)
  for (int64_t b = 0; b < batch; b++)
    for (int64_t g = 0; g < groups; g++)
      linear_row(x + b * row_stride + g * group_stride, turned + g * in * out, bias + g * out, floor,
                 y + (b * groups + g) * out, in, out);
  free(turned);
  return 0;
}

/* One input of one row: its gradient from those of all outputs, and what it adds to the weights'. */
INLINE void linear_row_backward(const float *restrict x, const float *restrict weight, const float *restrict given,
                                float *restrict of_x, float *restrict of_weight, int64_t in, int64_t out) {
  int64_t i = 0;
  for (; i + LANES <= in; i += LANES) {
    Floats sum = {0}, input = load(x + i);
    for (int64_t at = i; at < out * in; at += in, given++) {
      sum += *given * load(weight + at);
      store(of_weight + at, load(of_weight + at) + *given * input);
    }
    given -= out;
    store(of_x + i, sum);
  }
  for (; i < in; i++) {
    float sum = 0;
    for (int64_t o = 0; o < out; o++) {
      sum += given[o] * weight[o * in + i];
      of_weight[o * in + i] += given[o] * x[i];
    }
    of_x[i] = sum;
  }
}

/* The same of the input alone. */
INLINE void linear_row_to_input(const float *restrict weight, const float *restrict given, float *restrict of_x,
                                int64_t in, int64_t out) {
  int64_t i = 0;
  for (; i + LANES <= in; i += LANES) {
    Floats sum = {0};
    for (int64_t o = 0; o < out; o++) sum += given[o] * load(weight + o * in + i);
    store(of_x + i, sum);
  }
  for (; i < in; i++) {
    float sum = 0;
    for (int64_t o = 0; o < out; o++) sum += given[o] * weight[o * in + i];
    of_x[i] = sum;
  }
}

/* The gradients of group_linear from that of its output: of_x [batch, group, in]; of_weight [group, out, in] and
   of_bias [group, out], which start at zero, or NULL both where nobody asks for them. */
int group_linear_backward(const float *x, int64_t row_stride, int64_t group_stride, const float *weight, const float *y,
                          float floor, const float *gradient, float *of_x, float *of_weight, float *of_bias,
                          int64_t batch, int64_t groups, int64_t out, int64_t in, int threads) {
  int64_t outputs = groups * out, size = outputs * (in + 2);
  float *sums = calloc(threads * size, sizeof(float));
  if (!sums) return -1;
#pragma omp parallel for num_threads(threads) schedule(static) if (batch * groups * in * out > 8 * SMALL)
  for (int64_t b = 0; b < batch; b++) {
    float *weights = sums + omp_get_thread_num() * size, *biases = weights + outputs * in;
    float *given = biases + outputs;
    for (int64_t at = 0; at < outputs; at++) {
      given[at] = y[b * outputs + at] <= floor ? 0 : gradient[b * outputs + at];
      biases[at] += given[at];
    }
    for (int64_t g = 0; g < groups; g++) {
      int64_t from = b * row_stride + g * group_stride, at = g * out;
      if (of_bias)
        WITH_WIDTH(in, linear_row_backward(x + from, weight + at * WIDTH, given + at, of_x + (b * groups + g) * WIDTH,
                                           weights + at * WIDTH, WIDTH, out))
      else
        WITH_WIDTH(in, linear_row_to_input(weight + at * WIDTH, given + at, of_x + (b * groups + g) * WIDTH, WIDTH, out))
    }
  }
  for (int t = 0; of_bias && t < threads; t++) {
    float *weights = sums + t * size, *biases = weights + outputs * in;
    for (int64_t i = 0; i < outputs * in; i++) of_weight[i] += weights[i];
    for (int64_t i = 0; i < outputs; i++) of_bias[i] += biases[i];
  }
  free(sums);
  return 0;
}
