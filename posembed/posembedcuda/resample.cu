// Resampling of position tables on a GPU. Compiled at run time, with no header,
// for one type of table and one way of reading it:
//
//	ELEMENT  0 float, 1 bfloat16, 2 half
//	VEC      channels of a thread: 16 bytes of them, or 1 where rows are not aligned
//	TAPS     taps of an output index along an axis: 4, 2, or 0 for any number
//	AHEAD    table rows that are loaded before they are needed: 1, 2 or 4, at most TAPS
//	STREAM   1 if results go past the cache
//
// Shapes: table [G, K, D], result [H, W, D]: G, H rows, K, W columns, D channels.

typedef unsigned short u16;
typedef unsigned int u32;

#if ELEMENT == 0
typedef float element;
#else
typedef u16 element;
#endif

// widen is the value of an element, exactly.
__device__ __forceinline__ float widen(element v) {
#if ELEMENT == 0
  return v;
#elif ELEMENT == 1
  return __uint_as_float((u32)v << 16);
#else
  float f;
  asm("cvt.f32.f16 %0, %1;" : "=f"(f) : "h"(v));
  return f;
#endif
}

// narrow rounds to nearest even.
__device__ __forceinline__ element narrow(float f) {
#if ELEMENT == 0
  return f;
#elif ELEMENT == 1
  u32 u = __float_as_uint(f);
  if (f != f) return (u | 0x400000) >> 16;
  return (u + 0x7fff + (u >> 16 & 1)) >> 16;
#else
  u16 h;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(h) : "f"(f));
  return h;
#endif
}

// raw is VEC elements as they are loaded and stored: in one instruction if VEC > 1.
#if VEC == 1
typedef element raw;
#else
typedef uint4 raw;
#endif

__device__ __forceinline__ void unpack(const raw& r, float (&v)[VEC]) {
#if VEC == 1
  v[0] = widen(r);
#else
  const u32 w[4] = {r.x, r.y, r.z, r.w};
#pragma unroll
  for (int i = 0; i < 4; i++) {
#if ELEMENT == 0
    v[i] = __uint_as_float(w[i]);
#elif ELEMENT == 1
    v[2 * i] = __uint_as_float(w[i] << 16);
    v[2 * i + 1] = __uint_as_float(w[i] & 0xffff0000);
#else
    v[2 * i] = widen((element)(w[i] & 0xffff));
    v[2 * i + 1] = widen((element)(w[i] >> 16));
#endif
  }
#endif
}

__device__ __forceinline__ raw pack(const float (&v)[VEC]) {
#if VEC == 1
  return narrow(v[0]);
#else
  u32 w[4];
#pragma unroll
  for (int i = 0; i < 4; i++) {
#if ELEMENT == 0
    w[i] = __float_as_uint(v[i]);
#elif ELEMENT == 1 && __CUDA_ARCH__ >= 800
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(w[i]) : "f"(v[2 * i + 1]), "f"(v[2 * i]));
#elif ELEMENT == 1
    w[i] = (u32)narrow(v[2 * i]) | (u32)narrow(v[2 * i + 1]) << 16;
#else
    asm("{.reg .f16 lo, hi; cvt.rn.f16.f32 lo, %1; cvt.rn.f16.f32 hi, %2; mov.b32 %0, {lo, hi};}" : "=r"(w[i]) : "f"(v[2 * i]), "f"(v[2 * i + 1]));
#endif
  }
  return make_uint4(w[0], w[1], w[2], w[3]);
#endif
}

// store writes one thread's channels; with STREAM 1, as what will not be read soon.
__device__ __forceinline__ void store(raw* to, raw value) {
#if STREAM
  __stcs(to, value);
#else
  *to = value;
#endif
}

__device__ __forceinline__ int clamped(int i, int size) { return min(max(i, 0), size - 1); }

// axis is how the indices of a result depend on the table along one axis: the taps
// of output i are first[i], first[i]+1, …, moved into the table, with the weights
// weight[TAPS·i …]. With TAPS 0 they are weight[start[i]] … weight[start[i+1]−1].
struct axis {
  const int* first;
  const float* weight;
  const int* start;
};

#if TAPS > 0

// weights are those of one output index, loaded at once.
struct weights {
  float w[TAPS];
};

__device__ __forceinline__ weights load_weights(const float* p, int i) {
  weights s;
#if TAPS == 4
  float4 v = __ldg((const float4*)p + i);
  s.w[0] = v.x, s.w[1] = v.y, s.w[2] = v.z, s.w[3] = v.w;
#else
  float2 v = __ldg((const float2*)p + i);
  s.w[0] = v.x, s.w[1] = v.y;
#endif
  return s;
}

// sum is Σ w[k]·v[(phase + k) mod TAPS], the outer taps, which are small, first.
__device__ __forceinline__ void sum(const weights& s, const float (&v)[TAPS][VEC], int phase, float (&out)[VEC]) {
#pragma unroll
  for (int q = 0; q < VEC; q++) {
#if TAPS == 4
    float outer = fmaf(s.w[3], v[(phase + 3) % 4][q], s.w[0] * v[phase][q]);
    out[q] = fmaf(s.w[2], v[(phase + 2) % 4][q], fmaf(s.w[1], v[(phase + 1) % 4][q], outer));
#else
    out[q] = fmaf(s.w[1], v[(phase + 1) % 2][q], s.w[0] * v[phase][q]);
#endif
  }
}

// column is what a thread needs to resample any row of the table along its columns,
// for its own output column and channels.
struct column {
  const element* from[TAPS];
  weights s;
  int pitch;

  __device__ __forceinline__ void load(int row, raw (&taps)[TAPS]) const {
#pragma unroll
    for (int k = 0; k < TAPS; k++) taps[k] = __ldg((const raw*)(from[k] + (size_t)row * pitch));
  }

  __device__ __forceinline__ void blend(const raw (&taps)[TAPS], float (&out)[VEC]) const {
    float v[TAPS][VEC];
#pragma unroll
    for (int k = 0; k < TAPS; k++) unpack(taps[k], v[k]);
    sum(s, v, 0, out);
  }
};

// walk computes strip rows of one output column: the thread goes down the table with
// the last TAPS of its rows, resampled along their columns, in registers, so that a
// table row is read and resampled once per strip, not once per output row. The next
// AHEAD rows are on their way meanwhile. Slots of both rings are known to the
// compiler: the loop over phases is unrolled.
__device__ __forceinline__ void walk(const element* table, element* out, axis rows, axis cols, int G, int K, int H, int W, int D,
                                     int x, int y, int c, int strip) {
  const int end = min(y + strip, H);
  column col;
  col.pitch = K * D;
  const int first = __ldg(cols.first + x);
  int base = __ldg(rows.first + y);                         // r[(phase + k) % TAPS] is table row base + k
  const int last = __ldg(rows.first + end - 1) + TAPS - 1;  // that the strip needs
#pragma unroll
  for (int k = 0; k < TAPS; k++) col.from[k] = table + clamped(first + k, K) * D + c;
  raw start[TAPS][TAPS], ahead[AHEAD][TAPS];
#pragma unroll
  for (int k = 0; k < TAPS; k++) col.load(clamped(base + k, G), start[k]);
#pragma unroll
  for (int k = 0; k < AHEAD; k++)
    if (base + TAPS + k <= last) col.load(clamped(base + TAPS + k, G), ahead[k]);
  col.s = load_weights(cols.weight, x);
  weights s = load_weights(rows.weight, y);
  float r[TAPS][VEC];
#pragma unroll
  for (int k = 0; k < TAPS; k++) col.blend(start[k], r[k]);

  element* to = out + ((size_t)y * W + x) * D + c;
  const size_t down = (size_t)W * D;
  for (int next = base;;) {  // the first table row of output row y
#pragma unroll
    for (int phase = 0; phase < TAPS; phase++) {
      while (next == base) {
        const weights now = s;
        const int below = min(y + 1, end - 1);
        next = __ldg(rows.first + below);
        s = load_weights(rows.weight, below);
        float v[VEC];
        sum(now, r, phase, v);
        store((raw*)to, pack(v));
        if (++y >= end) return;
        to += down;
      }
      if (base + TAPS >= next) col.blend(ahead[phase % AHEAD], r[phase]);
      if (base + TAPS + AHEAD <= last) col.load(clamped(base + TAPS + AHEAD, G), ahead[phase % AHEAD]);
      base++;
    }
  }
}

#else

// walk computes strip rows of one output column, each from all its taps. There may
// be hundreds of them, so the sums are double: in float the error would grow with
// their number.
__device__ __forceinline__ void walk(const element* table, element* out, axis rows, axis cols, int G, int K, int H, int W, int D,
                                     int x, int y, int c, int strip) {
  const int left = cols.first[x], begin = cols.start[x], width = cols.start[x + 1] - begin;
  for (const int end = min(y + strip, H); y < end; y++) {
    double total[VEC] = {0};
    const int top = rows.first[y], above = rows.start[y], height = rows.start[y + 1] - above;
    for (int j = 0; j < height; j++) {
      const element* p = table + ((size_t)(top + j) * K + left) * D + c;
      double across[VEC] = {0};
      for (int i = 0; i < width; i++, p += D) {
        float v[VEC], w = __ldg(cols.weight + begin + i);
        unpack(__ldg((const raw*)p), v);
#pragma unroll
        for (int q = 0; q < VEC; q++) across[q] = fma((double)w, (double)v[q], across[q]);
      }
      const double w = __ldg(rows.weight + above + j);
#pragma unroll
      for (int q = 0; q < VEC; q++) total[q] = fma(w, across[q], total[q]);
    }
    float result[VEC];
#pragma unroll
    for (int q = 0; q < VEC; q++) result[q] = total[q];
    store((raw*)(out + ((size_t)y * W + x) * D + c), pack(result));
  }
}

#endif

// resample computes one result. A block has blockDim.y columns, blockDim.z strips of
// rows and blockDim.x threads along the channels: threads that share taps are
// neighbours, and find them in the first-level cache.
extern "C" __global__ void resample(const element* __restrict__ table, element* __restrict__ out, const int* rowFirst, const float* rowWeight,
                                    const int* rowStart, const int* colFirst, const float* colWeight, const int* colStart, int G, int K, int H,
                                    int W, int D, int strip) {
  int c = (blockIdx.z * blockDim.x + threadIdx.x) * VEC, x = blockIdx.x * blockDim.y + threadIdx.y;
  int y = (blockIdx.y * blockDim.z + threadIdx.z) * strip;
  if (c < D && x < W && y < H) walk(table, out, {rowFirst, rowWeight, rowStart}, {colFirst, colWeight, colStart}, G, K, H, W, D, x, y, c, strip);
}

// image is one result of a batch.
struct image {
  int H, W, rows, cols;            // its shape; where its axes begin in the arrays of first indices
  int rowWeights, colWeights;      // … and in those of weights
  int rowStarts, colStarts;        // … and of starts (TAPS 0)
  long long out;                   // where its result begins
};

// tile is what a block of a batch computes: an image's columns from x, rows from y.
struct tile {
  int image, x, y, unused;
};

// resample_batch computes several results of one table in one launch: blockIdx.x
// counts tiles, of whatever image.
extern "C" __global__ void resample_batch(const element* __restrict__ table, element* __restrict__ out, const int* first, const float* weight,
                                          const int* start, const image* images, const tile* tiles, int G, int K, int D, int strip) {
  const tile t = tiles[blockIdx.x];
  const image m = images[t.image];
  int c = (blockIdx.z * blockDim.x + threadIdx.x) * VEC, x = t.x + threadIdx.y, y = t.y + threadIdx.z * strip;
  if (c < D && x < m.W && y < m.H)
    walk(table, out + m.out, {first + m.rows, weight + m.rowWeights, start + m.rowStarts}, {first + m.cols, weight + m.colWeights, start + m.colStarts},
         G, K, m.H, m.W, D, x, y, c, strip);
}

// copy moves as many 16-byte words: the floor that others are measured against.
extern "C" __global__ void copy(const uint4* __restrict__ from, uint4* __restrict__ to, long long n) {
  for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < n; i += gridDim.x * (long long)blockDim.x) to[i] = from[i];
}

// copy_values copies by single values.
extern "C" __global__ void copy_values(const element* __restrict__ from, element* __restrict__ to, long long n) {
  for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < n; i += gridDim.x * (long long)blockDim.x) to[i] = from[i];
}

// reference_bicubic is eager torch's bicubic (upsample_bicubic2d_out_frame in
// ATen/native/cuda/UpSampleBicubic2d.cu, version 2.11): one thread for each output
// pixel, which loops over all channels, in float.
__device__ __forceinline__ float near_weight(float x) { return ((-0.75f + 2) * x - (-0.75f + 3)) * x * x + 1; }
__device__ __forceinline__ float far_weight(float x) { return ((-0.75f * x + 5 * 0.75f) * x - 8 * 0.75f) * x + 4 * 0.75f; }

extern "C" __global__ void reference_bicubic(const element* __restrict__ table, element* __restrict__ out, int G, int K, int H, int W, int D) {
  const int index = blockIdx.x * blockDim.x + threadIdx.x;
  if (index >= H * W) return;
  const int x = index % W, y = index / W;
  const float sy = (float)G / H * (y + 0.5f) - 0.5f, sx = (float)K / W * (x + 0.5f) - 0.5f;
  const int fy = floorf(sy), fx = floorf(sx);
  const float ty = sy - fy, tx = sx - fx;
  const float wy[4] = {far_weight(ty + 1), near_weight(ty), near_weight(1 - ty), far_weight(2 - ty)};
  const float wx[4] = {far_weight(tx + 1), near_weight(tx), near_weight(1 - tx), far_weight(2 - tx)};
  for (int c = 0; c < D; c++) {
    float r[4];
#pragma unroll
    for (int j = 0; j < 4; j++) {
      const element* row = table + (size_t)clamped(fy - 1 + j, G) * K * D + c;
      r[j] = widen(row[clamped(fx - 1, K) * D]) * wx[0] + widen(row[clamped(fx, K) * D]) * wx[1] + widen(row[clamped(fx + 1, K) * D]) * wx[2] +
             widen(row[clamped(fx + 2, K) * D]) * wx[3];
    }
    out[(size_t)index * D + c] = narrow(r[0] * wy[0] + r[1] * wy[1] + r[2] * wy[2] + r[3] * wy[3]);
  }
}

// The seed's bilinear with aligned corners, an expression over whole tensors, each
// step a kernel of its own: positions along an axis, indices and weights, gather,
// product in float, three sums, rounding.
extern "C" __global__ void gather_axis(int* lower, int* upper, float* fraction, int size, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const float last = size - 1, step = n > 1 ? last / (n - 1) : 0; // torch.linspace
  const float s = n == 1 ? 0 : i < n / 2 ? step * i : last - step * (n - 1 - i);
  lower[i] = (int)s;
  upper[i] = min((int)s + 1, size - 1);
  fraction[i] = s - (int)s;
}

extern "C" __global__ void gather_index(const int* y0, const int* y1, const float* dy, const int* x0, const int* x1, const float* dx, long long* index,
                                        float* weight, int K, int H, int W) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x, n = H * W;
  if (i >= n) return;
  const int y = i / W, x = i % W;
  index[i] = y0[y] * K + x0[x], weight[i] = (1 - dy[y]) * (1 - dx[x]);
  index[n + i] = y0[y] * K + x1[x], weight[n + i] = (1 - dy[y]) * dx[x];
  index[2 * n + i] = y1[y] * K + x0[x], weight[2 * n + i] = dy[y] * (1 - dx[x]);
  index[3 * n + i] = y1[y] * K + x1[x], weight[3 * n + i] = dy[y] * dx[x];
}

extern "C" __global__ void gather_take(const element* __restrict__ table, const long long* index, element* __restrict__ taken, long long n, int D) {
  for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < n; i += gridDim.x * (long long)blockDim.x)
    taken[i] = table[index[i / D] * D + i % D];
}

extern "C" __global__ void gather_multiply(const element* __restrict__ taken, const float* weight, float* __restrict__ product, long long n, int D) {
  for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < n; i += gridDim.x * (long long)blockDim.x)
    product[i] = widen(taken[i]) * weight[i / D];
}

extern "C" __global__ void gather_add(const float* a, const float* b, float* sum, long long n) {
  for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < n; i += gridDim.x * (long long)blockDim.x) sum[i] = a[i] + b[i];
}

extern "C" __global__ void gather_round(const float* sum, element* __restrict__ out, long long n) {
  for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < n; i += gridDim.x * (long long)blockDim.x) out[i] = narrow(sum[i]);
}
