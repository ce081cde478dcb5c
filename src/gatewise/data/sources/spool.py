"""Rows kept in a private temporary folder, because where they come from gives them once."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa

from gatewise.data.reading import first_line
from gatewise.data.sources.digests import digest_of_values
from gatewise.data.sources.source import Columns, Extent
from gatewise.errors import TableError
from gatewise.files import temporary_folder

ROWS, NAME = "rows.arrows", "gatewise-rows"


class Spool:
    """Rows in one file of Arrow, which is removed when nobody needs it any more, also after Ctrl-C or an error.

    What a killed process left is removed by the next process that keeps rows.

    Args:
        batches: the rows; they are read once, and never held whole.
        schema: their columns.
        shown: where they come from, for messages.
    """

    def __init__(self, batches: Iterable[pa.RecordBatch], schema: pa.Schema, shown: str) -> None:
        self.schema, self.shown, self.rows = schema, shown, 0
        self.bytes = dict.fromkeys(schema.names, 0)
        with ExitStack() as stack:
            folder = stack.enter_context(temporary_folder(Path(tempfile.gettempdir()) / NAME))
            folder.chmod(0o700)
            self._path = folder / ROWS
            self._write(batches)
            # from here on the folder lives as long as this object, or as the process
            self.close = weakref.finalize(self, stack.pop_all().close)

    def _write(self, batches: Iterable[pa.RecordBatch]) -> None:
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        with pa.OSFile(str(self._path), "wb") as file, pa.ipc.new_stream(file, self.schema, options=options) as writer:
            for batch in batches:
                writer.write_batch(batch)
                self.rows += batch.num_rows
                for name, column in zip(self.schema.names, batch.columns, strict=True):
                    self.bytes[name] += column.nbytes

    def pieces(self, columns: Columns, rows: int) -> Iterator[pa.Table]:
        """Yield the rows in pieces of at most ``rows`` rows, at least one piece."""
        names = self.schema.names
        wanted = set(names if columns is None else columns)
        places = [place for place, name in enumerate(names) if name in wanted]
        present = [names[place] for place in places]
        # without a number all fields would be read
        options = pa.ipc.IpcReadOptions(included_fields=places or [0])
        try:
            with pa.memory_map(str(self._path)) as file, pa.ipc.open_stream(file, options=options) as reader:
                if not self.rows:
                    yield reader.schema.empty_table().select(present)
                for batch in reader:
                    for start in range(0, batch.num_rows, rows):
                        yield pa.Table.from_batches([batch.slice(start, rows)]).select(present)
        except (pa.ArrowException, OSError) as error:
            raise TableError(f"{self.shown}: its kept rows are gone: {first_line(error)}") from None

    def digest(self) -> str:
        """Return a digest of all values."""
        return digest_of_values(self.pieces(None, 65_536))

    def extent(self, columns: Columns) -> Extent:
        """Return rows and bytes of the wanted columns."""
        wanted = set(self.bytes if columns is None else columns)
        return Extent(self.rows, sum(size for name, size in self.bytes.items() if name in wanted))
