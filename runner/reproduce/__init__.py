"""The report made again: `duograd reproduce`.

study: what conf/study/*.yaml may say, one file for each figure or table of the report. outcome: what its runs came to,
beside what was published. settings: a study's settings beside each other. pictures: what it shows. page: the whole as
Markdown and HTML.
"""
