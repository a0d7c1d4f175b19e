-- The statements that read a telemetry table. Words in {braces} are filled in by code: quoted names of the
-- assistant's table and columns, and the fragments that stand first here. Values are :named parameters.

-- name: moment
-- The time in {column} as microseconds since 1970: ISO 8601 text, or seconds or milliseconds since 1970 (a number,
-- or a number written as text; from 2001 to 2255, so that the two cannot be confused). NULL if it is none of these.
-- A text without an offset is taken as it stands; the fragment `local` tells which those are.
(
    SELECT CASE
        WHEN number >= 1e9 AND number < 9e9 THEN CAST(number * 1000000 + 0.5 AS INTEGER)
        WHEN number >= 1e12 AND number < 9e12 THEN CAST(number * 1000 + 0.5 AS INTEGER)
        WHEN number IS NULL
            AND strftime('%Y-%m-%dT%H:%M:%S', whole, '+0 seconds') = replace(whole, ' ', 'T')
            AND (fraction = '' OR fraction GLOB '.[0-9]*' AND substr(fraction, 2) NOT GLOB '*[^0-9]*')
        THEN strftime('%s', whole || offset) * 1000000
            + CAST(substr(substr(fraction, 2) || '000000', 1, 6) AS INTEGER)
    END
    FROM (
        SELECT number, whole, substr(tail, 1, length(tail) - width) AS fraction,
            CASE width
                WHEN 0 THEN ''
                WHEN 1 THEN 'Z'
                WHEN 3 THEN substr(tail, -3) || ':00'
                ELSE substr(tail, -width, 3) || ':' || substr(tail, -2)
            END AS offset
        FROM (
            SELECT number, whole, tail,
                CASE
                    WHEN tail GLOB '*Z' THEN 1
                    WHEN tail GLOB '*[-+][0-9][0-9]' THEN 3
                    WHEN tail GLOB '*[-+][0-9][0-9][0-9][0-9]' THEN 5
                    WHEN tail GLOB '*[-+][0-9][0-9]:[0-9][0-9]' THEN 6
                    ELSE 0
                END AS width
            FROM (
                SELECT substr({column}, 1, 19) AS whole, substr({column}, 20, 40) AS tail,
                    CASE typeof({column})
                        WHEN 'integer' THEN {column}
                        WHEN 'real' THEN {column}
                        WHEN 'text' THEN CASE
                            WHEN {column} GLOB '[0-9]*' AND {column} NOT GLOB '*[^0-9.]*' THEN CAST({column} AS NUMERIC)
                        END
                        ELSE 0
                    END AS number
            )
        )
    )
)

-- name: local
-- 1 if {column} is a text without an offset, which means local time in the zone of the telemetry.
(typeof({column}) = 'text' AND substr({column}, 5, 1) = '-' AND substr({column}, 20, 40) NOT GLOB '*[-+Z]*')

-- name: near
-- A rough range on the bare column, which an index can serve; the exact comparison follows on what is left.
-- The third line is for numbers written as text, in seconds or (same first digits) in milliseconds.
(
    {column} >= :day_from AND {column} < :day_to
    OR {column} >= :digits_from AND {column} < :digits_to
    OR {column} >= :seconds_from AND {column} < :seconds_to
    OR {column} >= 1000 * :seconds_from AND {column} < 1000 * :seconds_to
)

-- name: label
-- A short text, whatever type it is stored as.
substr(CAST({column} AS TEXT), 1, 200)

-- name: capped
-- A long text without its middle, so that no row fills the memory; what remains is cut exactly after redaction.
CASE
    WHEN length(CAST({column} AS BLOB)) > 300000
    THEN substr(CAST({column} AS BLOB), 1, 150000) || substr(CAST({column} AS BLOB), -150000)
    ELSE {column}
END

-- name: relations
SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY name

-- name: columns
SELECT name FROM pragma_table_xinfo(:table) WHERE hidden <> 1

-- name: without_rowid
-- 1 if the rows have no row ids: then the primary key is an index that does not end in one.
SELECT COUNT(*) AS tables
FROM pragma_index_list(:table) AS i
WHERE i.origin = 'pk' AND NOT EXISTS (SELECT 1 FROM pragma_index_xinfo(i.name) WHERE cid = -1)

-- name: newest
SELECT substr(CAST({created_at} AS TEXT), 1, 200) AS written, {moment} AS moment, {local} AS local
FROM {table} AS t
ORDER BY {newest} DESC
LIMIT 100

-- name: row_count
SELECT COUNT(*) AS count FROM {table}

-- name: size
-- The number of rows, as far as it matters for a choice between tables.
SELECT COUNT(*) AS count FROM (SELECT 1 FROM {table} LIMIT 1000000)

-- name: statuses
SELECT DISTINCT {status} AS status FROM {table} AS t WHERE {status} IS NOT NULL LIMIT 200

-- name: status_counts
-- Tasks by kind and status for each of :windows, a JSON list of {{"start", "end", "local_start", "local_end"}} in
-- microseconds since 1970; the local ones are for times without an offset. `place` is the position in that list.
WITH windows AS MATERIALIZED (
    SELECT key AS place,
        json_extract(value, '$.start') AS start, json_extract(value, '$.end') AS end_,
        json_extract(value, '$.local_start') AS local_start, json_extract(value, '$.local_end') AS local_end
    FROM json_each(:windows)
),
moments AS MATERIALIZED (
    SELECT {kind} AS kind, coalesce({status}, 'unknown') AS status, {moment} AS moment, {local} AS local
    FROM {table} AS t
    WHERE {near}
)
SELECT place, kind, status, COUNT(*) AS count
FROM moments CROSS JOIN windows
WHERE moment >= CASE local WHEN 1 THEN local_start ELSE start END
    AND moment < CASE local WHEN 1 THEN local_end ELSE end_ END
GROUP BY place, kind, status
ORDER BY place, count DESC, kind, status

-- name: failures
-- The failed tasks from :start up to :end (microseconds since 1970; the local ones are for times without an offset),
-- oldest first. `key` is what their rows are read by afterwards, a few at a time.
SELECT key, id
FROM (
    SELECT {key} AS key, {id} AS id, {moment} AS moment, {local} AS local
    FROM {table} AS t
    WHERE {near} AND coalesce({status}, 'unknown') IN (SELECT value FROM json_each(:failed))
)
WHERE moment >= CASE local WHEN 1 THEN :local_start ELSE :start END
    AND moment < CASE local WHEN 1 THEN :local_end ELSE :end END
ORDER BY moment - CASE local WHEN 1 THEN :local_start - :start ELSE 0 END, key

-- name: failure_records
-- The failed tasks behind some keys of `failures`.
SELECT {key} AS key, {id} AS id, coalesce({status}, 'unknown') AS status, {moment} AS created_at,
    {local} AS created_at_local, {error} AS error, {traceback} AS traceback, {agent} AS agent, {kind} AS kind,
    {started_at} AS started_at, {started_at_local} AS started_at_local,
    {finished_at} AS finished_at, {finished_at_local} AS finished_at_local,
    {parent_id} AS parent_id, {retries} AS retries, {input} AS input, {version} AS version
FROM {table} AS t
WHERE {key} IN (SELECT value FROM json_each(:keys))
    AND coalesce({status}, 'unknown') IN (SELECT value FROM json_each(:failed))
