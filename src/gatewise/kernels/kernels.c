/* The inner loops of training, as gatewise.kernels describes them in Python. Compiled once on the machine that runs
   them; every function here has a twin in PyTorch that gives the same numbers.

   Matrices are row-major float. Lookups are ids [batch, columns], column c reading row ids[b, c] + offsets[c] of a
   table; an id below 0 is padding. */

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

INLINE void gather_row(const int32_t *row, const int32_t *next, const int64_t *offsets, int64_t columns,
                       const float *table, int64_t dim, float *out) {
  for (int64_t c = 0; c < columns; c++)
    if (next[c] >= 0) __builtin_prefetch(table + (next[c] + offsets[c]) * dim);
  for (int64_t c = 0; c < columns; c++, out += dim) {
    if (row[c] < 0)
      memset(out, 0, dim * sizeof(float));
    else
      memcpy(out, table + (row[c] + offsets[c]) * dim, dim * sizeof(float));
  }
}

/* out[b] = table[ids[b, c] + offsets[c]] for every column c, zeros for padding, and then beside[b] */
void gather(const int32_t *ids, const int64_t *offsets, int64_t batch, int64_t columns, const float *table, int64_t dim,
            const float *beside, int64_t more, float *out, int threads) {
  int64_t width = columns * dim + more;
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int64_t b = 0; b < batch; b++) {
    const int32_t *row = ids + b * columns, *next = b + 1 < batch ? row + columns : row;
    WITH_WIDTH(dim, gather_row(row, next, offsets, columns, table, WIDTH, out + b * width))
    memcpy(out + (b + 1) * width - more, beside + b * more, more * sizeof(float));
  }
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
  int64_t *places = malloc(2 * columns * sizeof(int64_t)), *counts = places + columns;
  if (!places) return -1;
  int64_t most = place_columns(offsets, batch, columns, places) * batch;
  while (capacity < 2 * most) capacity *= 2;
  Slot *slots = malloc(threads * capacity * sizeof(Slot));
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

/* Adam on count rows, each there once. */
void adam_rows(float *weight, float *first, float *second, const int64_t *rows, const float *gradients, int64_t count,
               int64_t dim, float step_size, float beta1, float beta2, float root_scale, float eps, float shrink,
               float decay, int threads) {
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
}

/* NaN stays NaN, so that a broken loss is seen */
INLINE float at_least(float value, float floor) { return floor > value ? floor : value; }

INLINE void mix_row(const float *restrict gates, const float *restrict experts, int64_t stride, float floor,
                    float *restrict out, int64_t num_experts, int64_t width) {
  memset(out, 0, width * sizeof(float));
  for (int64_t e = 0; e < num_experts; e++)
    for (int64_t d = 0; d < width; d++) out[d] += gates[e] * at_least(experts[e * stride + d], floor);
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
  memset(of_expert, 0, width * sizeof(float));
  for (int64_t k = 0; k < num_gates; k++) {
    float weight = gates[k * num_experts], dot = 0;
#pragma omp simd reduction(+ : dot)
    for (int64_t d = 0; d < width; d++) {
      float value = expert[d], given = gradient[k * width + d];
      of_expert[d] += value <= floor ? 0 : weight * given;
      dot += at_least(value, floor) * given;
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
